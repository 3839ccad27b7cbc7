/* Shows what comes in: the page loads again when there is a newer message, and only then, so that reading is not disturbed. */

const EVERY = 2000; // milliseconds
const { newest } = document.body.dataset;

setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch(`/dev/outbox.json${location.search}`, { cache: "no-store" }).catch(() => null);
  const found = answer?.ok ? (await answer.json()).messages : [];
  if (found.length && String(found[0].number) !== newest) location.reload();
}, EVERY);
