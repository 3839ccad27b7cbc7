/* The row that can be undone counts down, and a scan ends after its five minutes. Seconds come from the server,
   so that a tablet with a wrong clock is right too. */

export function startCountdown() {
  const start = performance.now();
  const passed = () => Math.floor((performance.now() - start) / 1000);
  const row = document.querySelector("[data-left]");
  const page = document.querySelector("[data-expires]");
  const late = document.querySelector("[data-late]");
  const field = document.querySelector("#text");

  function tick() {
    if (row) {
      const left = Number(row.dataset.left) - passed();
      row.querySelector("[data-left-text]").textContent = left > 0 ? String(left) : "";
      if (left <= 0) {
        row.querySelector("form").hidden = true;
        if (document.querySelector("[data-result]") && !field.value) location.replace("/till");
      }
    }
    if (page && passed() >= Number(page.dataset.expires)) late.hidden = false;
  }

  if (!row && !page) return;
  tick();
  setInterval(tick, 1000);
}
