// Asks the browser for a passkey and sends its answer with the form around the button.
// HTML contract: form[data-passkey="get"|"create"][data-ask][data-failed] (what to say in other words) with input[name=answer], a button and [data-said].
// The form is hidden until we know that this browser has passkeys; without this file there is the code.
"use strict";

(() => {
  if (!window.PublicKeyCredential || window.salusPasskeys) return;
  window.salusPasskeys = true;

  const octets = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function asked(options) {
    const key = options.publicKey;
    key.challenge = octets(key.challenge);
    if (key.user) key.user.id = octets(key.user.id);
    for (const list of [key.allowCredentials, key.excludeCredentials]) {
      for (const each of list || []) each.id = octets(each.id);
    }
    return options;
  }

  function answered(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
  }

  async function show(form) {
    const said = form.querySelector("[data-said]");
    said.hidden = true;
    try {
      const csrf = form.querySelector("[name=csrfmiddlewaretoken]").value;
      const options = await fetch(form.dataset.ask, { method: "POST", headers: { "X-CSRFToken": csrf } });
      if (!options.ok || options.redirected) throw new Error("not asked");
      const credential = await navigator.credentials[form.dataset.passkey](asked(await options.json()));
      form.elements.answer.value = JSON.stringify(answered(credential));
      form.submit();
    } catch {
      said.hidden = false;
      said.textContent = form.dataset.failed || "No passkey was used. Try again, or go on without one.";
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show(form);
    });
  }
})();
