// Fetches pictures that were still being drawn when the page came. Without it the page comes again by itself.
"use strict";
(() => {
  // Twenty tries, rarer and rarer, in two minutes: longer than a picture is waited for on the server.
  let wait = 700;
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
    wait *= 1.2;
    window.setTimeout(fetchThem, wait);
  };
  window.setTimeout(fetchThem, wait);
})();
