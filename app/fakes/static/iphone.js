// Loads the page again when the phone shows something else; waits while the page is hidden.
const shown = document.body.dataset.version
setInterval(async () => {
  if (document.hidden) return
  const answer = await fetch('/dev/iphone/state.json').catch(() => null)
  if (answer?.ok && (await answer.json()).version !== shown) location.reload()
}, 1000)
