// Keeps the preview fresh while somebody writes. Without this file the button "Show what it looks like" does it.
// HTML contract: form#draft, button#show whose formtarget is the preview's frame, radios named "shape".
"use strict";

(() => {
  const form = document.getElementById("draft");
  const show = document.getElementById("show");
  if (!form || !show) return;
  let waiting = 0;
  const soon = (delay) => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => form.requestSubmit(show), delay);
  };
  form.addEventListener("input", () => soon(800));
  for (const radio of document.querySelectorAll('input[name="shape"]')) {
    radio.addEventListener("change", () => soon(0));
  }
})();
