// Shows the copy buttons (without a script there are none: what they copy can be selected) and copies what they name.
for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = !navigator.clipboard;
  const words = button.querySelector("[data-says]");
  const before = words.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      words.textContent = "Copied";
    } catch {
      words.textContent = "Select it by hand";
    }
    setTimeout(() => { words.textContent = before; }, 2500);
  });
}
