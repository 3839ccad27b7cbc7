/* Does the server answer? The pill and the banner say so; buttons wait while it does not. */

const EVERY = 20_000; // milliseconds between two questions while the page is seen
const PATIENCE = 4_000; // milliseconds

export function startNetwork() {
  const pill = document.querySelector("[data-pill]");
  const text = document.querySelector("[data-pill-text]");
  const banner = document.querySelector("[data-offline]");

  function show(online) {
    if (pill.classList.contains("is-off") !== online) return online;
    pill.classList.toggle("is-off", !online);
    text.textContent = online ? pill.dataset.on : pill.dataset.off;
    banner.hidden = online;
    document.querySelectorAll("button[data-net]").forEach((button) => { button.disabled = !online; });
    return online;
  }

  async function ask() {
    try {
      const answer = await fetch("/till/ping", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (answer.status === 401) location.assign("/till/login");
      return show(answer.status < 500);
    } catch {
      return show(false);
    }
  }

  window.addEventListener("offline", () => show(false));
  window.addEventListener("online", ask);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  setInterval(() => { if (!document.hidden) ask(); }, EVERY);
  setInterval(() => { if (!document.hidden && !banner.hidden) ask(); }, EVERY / 10);
  return { ask, show };
}
