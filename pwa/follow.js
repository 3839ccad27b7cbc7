/** Follows what a worker is computing: asks for the page again and puts its part in place; without this, the page reloads itself. */

const PAUSE = 1500; // ms between two questions

// An XMLHttpRequest parses its answer by itself, as an inert document: no HTML passes through a string of ours.
function ask() {
  const asked = new XMLHttpRequest();
  asked.open('GET', location.href);
  asked.responseType = 'document';
  asked.setRequestHeader('Accept', 'text/html');
  asked.onload = ({ target }) => {
    if (target.status >= 500) return wait();
    const next = target.response?.querySelector('[data-follow]');
    if (target.status !== 200 || !next) return location.reload(); // logged out, or forgotten: the page says so
    show(next);
  };
  asked.onerror = wait;
  asked.send();
}

function wait() {
  setTimeout(ask, PAUSE);
}

/** What goes on keeps its place, so that nothing is read out again and again; what has ended replaces it. */
function show(next) {
  const part = document.querySelector('[data-follow]');
  const [bar, fresh] = [part.querySelector('progress'), next.querySelector('progress')];
  if (!bar || !fresh) {
    part.replaceChildren(...next.childNodes);
    part.tabIndex = -1;
    part.focus({ preventScroll: true });
    return;
  }
  bar.value = fresh.value;
  const [said, news] = [part.querySelector('[role=status]'), next.querySelector('[role=status]')];
  if (said.textContent !== news.textContent) said.textContent = news.textContent;
  part.querySelector('.going .d').replaceWith(next.querySelector('.going .d'));
  wait();
}

wait();
