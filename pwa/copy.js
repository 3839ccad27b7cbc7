/** Copies the text beside a button; without this, one press on the text selects all of it. */

const MARKED = 2000; // ms that a button says that it copied
const said = document.querySelector('[data-copied]');

async function copy(button) {
  await navigator.clipboard.writeText(button.parentElement.querySelector('code').textContent);
  said.textContent = '';
  said.textContent = said.dataset.copied;
  button.classList.add('done');
  setTimeout(() => button.classList.remove('done'), MARKED);
}

if (navigator.clipboard) { // only where the page came over HTTPS, or from this machine
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', () => copy(button));
  }
}
