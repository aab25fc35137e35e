// Tells the server that a person is at the page (typing counts), and leaves the page when nobody is.
// Without JavaScript the server's own idle limit still ends the session at the next request.
(() => {
  const body = document.body;
  const alive = body.dataset.alive;
  if (!alive) return;
  const idle = Number(body.dataset.idle) * 1000;
  const every = Math.min(60000, idle / 4);
  let lastAct = Date.now();
  let lastTold = Date.now();

  async function ask(method, headers) {
    try {
      return (await fetch(alive, { method, headers })).status;
    } catch {
      return 0; // the network is away: the server will decide when it is back
    }
  }

  function act() {
    lastAct = Date.now();
    if (lastAct - lastTold > every) {
      lastTold = lastAct;
      ask("POST", { "X-CSRFToken": body.dataset.csrf });
    }
  }

  for (const name of ["keydown", "pointerdown", "input", "scroll"]) {
    addEventListener(name, act, { passive: true, capture: true });
  }
  let leaving = false;
  setInterval(async () => {
    if (leaving || Date.now() - lastAct <= idle) return;
    leaving = true;
    // Another tab may have kept the session; asking like a poll does not.
    leaving = (await ask("GET", { "HX-Request": "true" })) === 401;
    if (leaving) location.assign(body.dataset.signedOut);
  }, 15000);
})();
