// Fetches pictures that were still being drawn when the page came. Without it the page comes again by itself.
"use strict";
(() => {
  const WAIT_MILLISECONDS = 700;
  let tries = 20;
  const fetchThem = async () => {
    const missed = document.querySelector("#pictures[data-awaited]");
    if (!missed || tries-- <= 0) return;
    try {
      const answer = await fetch(window.location.href);
      const come = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("pictures");
      if (!answer.ok || !come) return;
      missed.replaceWith(document.adoptNode(come));
    } catch {
      // The line was cut: the next try may find it again.
    }
    window.setTimeout(fetchThem, WAIT_MILLISECONDS);
  };
  window.setTimeout(fetchThem, WAIT_MILLISECONDS);
})();
