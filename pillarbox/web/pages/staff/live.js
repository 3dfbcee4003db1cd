// Follows a mailing while it is being sent. Without it the page says the same, and is loaded again.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !live.dataset.follow || !("EventSource" in window)) return;
  const bar = document.getElementById("live-bar");
  const words = document.getElementById("live-words");
  const lost = document.getElementById("live-lost");
  const number = new Intl.NumberFormat("en-GB");
  let source = null;
  let over = false;
  let silent = 0;
  const QUIET_MILLISECONDS = 8000;

  // The browser asks again by itself, and says nothing of it: numbers that stand still must not look alive.
  const hear = () => {
    window.clearTimeout(silent);
    silent = 0;
    lost.hidden = true;
  };
  const miss = () => {
    if (!silent) silent = window.setTimeout(() => { lost.hidden = false; }, QUIET_MILLISECONDS);
  };

  const show = (told) => {
    bar.max = told.planned || 1;
    bar.value = told.settled;
    // A status is read out whenever its words change: only then are they touched.
    const said = told.words.replaceAll("`", "");
    if (words.textContent !== said) words.textContent = said;
    for (const figure of live.querySelectorAll("[data-figure]")) {
      const value = told[figure.dataset.figure];
      figure.querySelector("dd").textContent = number.format(value);
      if (value) figure.hidden = false;
    }
    hear();
    if (told.mark !== live.dataset.mark) {
      over = true;
      source.close();
      window.location.reload(); // its buttons are others now
    } else if (told.over) {
      over = true;
      source.close();
    }
  };

  const follow = () => {
    if (source || over) return;
    source = new EventSource(live.dataset.follow);
    source.onmessage = (event) => show(JSON.parse(event.data));
    source.onopen = hear;
    source.onerror = () => {
      if (over) return;
      miss();
      // The server ends each stream after a while, and the browser asks again; closed is what it gave up.
      if (source && source.readyState === EventSource.CLOSED) lost.hidden = false;
    };
  };
  const leave = () => {
    if (source) source.close();
    source = null;
    window.clearTimeout(silent);
    silent = 0;
  };
  // A page that nobody looks at asks for nothing.
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : follow()));
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", () => { if (!document.hidden) follow(); });
})();
