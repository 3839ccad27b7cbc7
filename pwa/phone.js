/**
 * What every signed-in page of the phone does: registers the service worker, says when it is offline,
 * and follows the member's state while the page is visible.
 *
 * A page takes part in following by `data-etag` on <main> and `data-live="<name>"` on what may change;
 * `data-self` says where it is from when a form's answer shows it under another address.
 * A change is announced as the event `leima:swap` on document, with detail {name, element}; the whole new page as
 * `leima:page`, with detail {next}.
 */

const root = document.documentElement;
const main = document.querySelector('main');
export const home = root.dataset.home; // '/<brand>/'
const assets = new URL('.', import.meta.url).pathname; // '/assets/<tree hash>/'
const MIN_WAIT = 1000; // ms between polls; doubles up to MAX_WAIT while the server does not answer
const MAX_WAIT = 20000;

// The only Trusted Types policy: our own pages as inert documents, and our own service worker.
const policy = (window.trustedTypes ?? { createPolicy: (name, rules) => rules }).createPolicy('leima', {
  createHTML: (html) => html,
  createScriptURL: (url) => {
    if (!url.startsWith(`${home}sw.js?assets=/assets/`)) throw new TypeError('not our service worker');
    return url;
  },
});

/** Tell the service worker something; silently nothing before it controls the page. */
export function tellWorker(message) {
  navigator.serviceWorker?.controller?.postMessage(message);
}

/* ---- reachable or not ---- */

let fresh = null; // when the shown state was last known to be true

/** Remember when the shown state was true; `at` is a Date. */
export function freshAt(at) {
  fresh = at;
}

function reachable(yes) {
  const net = yes ? 'online' : 'offline';
  if (root.dataset.net === net) return;
  root.dataset.net = net;
  const balance = document.querySelector('[data-balance]');
  if (yes || !balance || !fresh) return;
  const today = fresh.toDateString() === new Date().toDateString();
  const day = today ? {} : { day: 'numeric', month: 'numeric' };
  const time = balance.querySelector('time');
  time.textContent = new Intl.DateTimeFormat(root.lang, { ...day, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(fresh);
  time.dateTime = fresh.toISOString();
  balance.hidden = false;
}

/* ---- following the state ---- */

let etag = main?.dataset.etag;
let wait = MIN_WAIT;
let timer = 0;
let busy = false;
const seen = new Map(); // live part -> the server's HTML of it, as last shown

for (const part of document.querySelectorAll('[data-live]')) seen.set(part.dataset.live, part.innerHTML);

function replace(now, next) {
  const name = now.dataset.live;
  const typing = now.contains(document.activeElement) && document.activeElement.value;
  if (seen.get(name) === next.innerHTML || typing) return;
  seen.set(name, next.innerHTML);
  const open = [...now.querySelectorAll('details[open]')].map((one) => one.id);
  const before = now.cloneNode(true);
  now.replaceChildren(...next.childNodes);
  for (const one of now.querySelectorAll('details')) one.open ||= open.includes(one.id);
  document.dispatchEvent(new CustomEvent('leima:swap', { detail: { name, element: now, before } }));
}

/** A till asks while another page than the card is open: the banner that leads there is told. */
document.addEventListener('leima:swap', ({ detail: { name, element } }) => {
  const said = name === 'asks' && element.querySelector('span')?.textContent;
  if (said) document.getElementById('news').textContent = said;
});

async function reload() {
  const answer = await fetch(main.dataset.self ?? location.href, { headers: { Accept: 'text/html' }, cache: 'no-store' });
  if (answer.redirected || answer.status === 401) return location.reload();
  if (!answer.ok) throw new Error(`page ${answer.status}`);
  const next = new DOMParser().parseFromString(policy.createHTML(await answer.text()), 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    const update = next.querySelector(`[data-live="${part.dataset.live}"]`);
    if (update) replace(part, update);
  }
  document.dispatchEvent(new CustomEvent('leima:page', { detail: { next } }));
  tellWorker({ type: 'keep' });
}

function keepClock(answer) {
  const server = Date.parse(answer.headers.get('date') ?? '');
  if (!server) return;
  const skew = Math.round((server - Date.now()) / 1000);
  // A second or two is the answer's way; more is a phone whose clock is wrong, which would spoil its one-time codes.
  try {
    const known = Number(localStorage.getItem('leima.skew'));
    if (Math.abs(skew) > 5) localStorage.setItem('leima.skew', skew);
    else localStorage.removeItem('leima.skew');
    if (Math.abs(skew - known) > 5) document.dispatchEvent(new Event('leima:clock'));
  } catch { /* storage is blocked: the phone's own clock then */ }
}

/** Ask once whether anything changed, then again after a pause while the page is visible. */
export async function poll() {
  if (etag === undefined || busy || document.hidden) return;
  clearTimeout(timer);
  busy = true;
  try {
    const answer = await fetch(`${home}card.json`, {
      headers: { 'If-None-Match': `"${etag}"` }, cache: 'no-store', signal: AbortSignal.timeout?.(8000),
    });
    if (answer.status === 401) {
      tellWorker({ type: 'wipe' });
      location.assign(home);
      return;
    }
    if (answer.status !== 304 && !answer.ok) throw new Error(`state ${answer.status}`);
    keepClock(answer);
    if (answer.status !== 304) {
      const next = (await answer.json()).etag;
      await reload();
      etag = next;
    }
    freshAt(new Date());
    reachable(true);
    wait = MIN_WAIT;
  } catch {
    reachable(false);
    wait = Math.min(wait * 2, MAX_WAIT);
  } finally {
    busy = false;
  }
  timer = setTimeout(poll, wait);
}

function pollNow() {
  wait = MIN_WAIT;
  poll();
}

/* ---- a held coupon counts down ---- */

setInterval(() => {
  for (const time of document.querySelectorAll('[data-countdown]')) {
    const left = Math.max(0, Math.round((Date.parse(time.dateTime) - Date.now()) / 1000));
    time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  }
}, 1000);

/* ---- start ---- */

async function register() {
  try {
    await navigator.serviceWorker.register(policy.createScriptURL(`${home}sw.js?assets=${assets}`));
  } catch { /* private window or old browser: everything but offline and push works */ }
}

if ('serviceWorker' in navigator) {
  navigator.serviceWorker.addEventListener('message', (event) => { if (event.data?.type === 'push') pollNow(); });
  if (document.readyState === 'complete') register();
  else addEventListener('load', register);
}
addEventListener('online', () => { if (etag === undefined) reachable(true); else pollNow(); });
addEventListener('offline', () => reachable(false));
addEventListener('pageshow', (event) => { if (event.persisted) pollNow(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) pollNow(); });
if (!navigator.onLine) reachable(false);
timer = setTimeout(poll, 1.5 * MIN_WAIT); // what the page shows is fresh; the first view comes first
