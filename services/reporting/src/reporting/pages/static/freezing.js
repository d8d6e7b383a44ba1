// Says that an edition is being frozen, and for how long already. Without it the browser alone shows that it waits.
"use strict";
(() => {
  const form = document.querySelector("[data-freezing]");
  const told = document.getElementById("freezing");
  form.addEventListener("submit", (event) => {
    // The second click of a double click is none; what is sent twice would be frozen once all the same.
    if (!told.hidden) return event.preventDefault();
    const begun = performance.now();
    const seconds = told.querySelector("[data-seconds]");
    told.hidden = false;
    told.querySelector("[role=status]").textContent = form.dataset.freezing;
    form.querySelector("[type=submit]").setAttribute("aria-disabled", "true");
    setInterval(() => { seconds.textContent = Math.round((performance.now() - begun) / 1000); }, 1000);
  });
  // Whoever comes back to the page finds a form and not a wait.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
