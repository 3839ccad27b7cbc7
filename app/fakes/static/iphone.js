// Loads the page again when the phone shows something else; waits while the page is hidden.
// The pass's own colors: the page's policy takes no style attribute.
for (const pass of document.querySelectorAll('.pass')) {
  const { background, foreground, label } = pass.dataset
  for (const [name, value] of Object.entries({ '--surface': background, '--text': foreground, '--text-2': label, '--edge': label })) {
    if (value) pass.style.setProperty(name, value)
  }
}
const shown = document.body.dataset.version
setInterval(async () => {
  if (document.hidden) return
  const answer = await fetch('/dev/iphone/state.json').catch(() => null)
  if (answer?.ok && (await answer.json()).version !== shown) location.reload()
}, 1000)
