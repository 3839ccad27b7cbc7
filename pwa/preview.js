/** Draws the card of a form anew while it is filled in; without this, the form's own button does. */

const form = document.querySelector('[data-preview-form]');
const PAUSE = 400; // ms without typing

let timer = 0;
let asked = null;

function show(next) {
  const drawn = next.querySelectorAll('[data-phone] template');
  document.querySelectorAll('[data-phone]').forEach((phone, i) => {
    const root = phone.shadowRoot ?? phone.attachShadow({ mode: 'open' });
    const links = root.querySelectorAll('link'); // loaded already: taken away, the card would flash
    const fresh = [...drawn[i].content.childNodes].filter((node) => node.nodeName !== 'LINK' || !links.length);
    root.replaceChildren(...links, ...fresh);
  });
}

// An XMLHttpRequest parses its answer by itself, as an inert document: no HTML passes through a string of ours.
function draw() {
  asked?.abort(); // a later answer is on its way
  asked = new XMLHttpRequest();
  asked.open('POST', form.dataset.previewForm);
  asked.responseType = 'document';
  asked.setRequestHeader('Accept', 'text/html');
  asked.onload = ({ target }) => {
    if (target.status === 200 && target.response?.querySelector('[data-preview]')) show(target.response);
  };
  asked.send(new FormData(form));
}

form.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE);
});
form.addEventListener('change', draw);
