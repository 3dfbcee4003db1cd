// Fetches pictures that were still being drawn when the page came. Without it the page comes again by itself.
"use strict";
(() => {
  // Twenty tries, rarer and rarer, in two minutes: longer than a picture is waited for on the server.
  let wait = 700;
  let tries = 20;
  const fetchThem = async () => {
    if (!document.querySelector("#pictures[data-awaited]") || tries-- <= 0) return;
    try {
      const answer = await fetch(window.location.href);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok && !page.getElementById("pictures")) return; // the login
      for (const id of ["variant-pictures", "pictures"]) {
        const come = page.getElementById(id);
        if (come) document.getElementById(id)?.replaceWith(document.adoptNode(come));
      }
    } catch {
      // The line was cut: the next try may find it again, as after an answer that the server is busy.
    }
    wait *= 1.2;
    window.setTimeout(fetchThem, wait);
  };
  window.setTimeout(fetchThem, wait);
})();
