/** The card page: rotating QR, full screen for the till, stamps pressed on as they come, notifications. */

import { freshAt, home, poll, tellWorker } from './phone.js';

const data = JSON.parse(document.getElementById('card-data').textContent);
const dialog = document.querySelector('dialog');
const news = document.getElementById('news');

const drawn = new Date(data.updated_at); // by the server, with the code of that moment
const STEP = 30000; // ms that a code stands
const PAUSE = 1500; // ms after which what the first view does not need is loaded

freshAt(drawn);

async function rotate() {
  const module = await import('./rotating.js');
  await module.rotate(document.querySelectorAll('.qr svg, dialog svg'), data);
}

// A page from the server shows a code that still stands; a kept one needs its own at once.
const stands = Math.floor(drawn / STEP) === Math.floor(Date.now() / STEP);
setTimeout(rotate, stands ? PAUSE : 0);

/* ---- full screen: white, awake ---- */

let lock = null;

async function stayAwake() {
  try { lock = await navigator.wakeLock?.request('screen'); } catch { /* denied or hidden: the QR still shows */ }
}

document.querySelector('.qr').addEventListener('click', () => {
  // The page holds the drawing once; the large one begins as the small one is.
  const [small, large] = [document.querySelector('.qr svg'), dialog.querySelector('svg')];
  large.setAttribute('viewBox', small.getAttribute('viewBox'));
  large.firstElementChild.setAttribute('d', small.firstElementChild.getAttribute('d'));
  dialog.showModal();
  stayAwake();
});
dialog.addEventListener('click', (event) => { if (event.target === dialog || event.target.closest('svg')) dialog.close(); });
dialog.addEventListener('close', () => {
  lock?.release();
  lock = null;
});
document.addEventListener('visibilitychange', () => { if (dialog.open && !document.hidden) stayAwake(); });

/* ---- what came in ---- */

/** Press the stamps on that the old face did not have; a card that filled meanwhile starts again from its first place. */
function press(before, element) {
  const faces = element.querySelectorAll('.face');
  before.querySelectorAll('.face').forEach((old, i) => {
    const face = faces[i];
    if (!face || old.dataset.stamps === face.dataset.stamps) return;
    const from = Number(old.dataset.stamps) < Number(face.dataset.stamps) ? Number(old.dataset.stamps) : 0;
    const fewer = Number(old.dataset.stamps) > Number(face.dataset.stamps) && !document.querySelector('[data-filled].new');
    if (!fewer) face.querySelectorAll('.on').forEach((stamp, place) => stamp.classList.toggle('new', place >= from));
    const count = face.querySelector('.count')?.getAttribute('aria-label');
    if (!fewer) dialog.close(); // the till is done with the code: let the stamp be seen
    news.textContent = fewer || from ? count : `${news.textContent} ${count}`; // a full card was told just before
  });
}

function celebrate(before, element) {
  const full = element.querySelector('[data-filled]');
  if (!full || before.querySelector(`[data-filled="${full.dataset.filled}"]`)) return;
  full.classList.add('new');
  full.scrollIntoView({ block: 'nearest' });
  news.textContent = `${full.querySelector('h2').textContent}: ${full.querySelector('p').textContent}.`;
}

/** A till asks: what covers the page goes, and the question is seen and told. */
function asked(element) {
  const question = element.querySelector('b');
  if (!question) return;
  dialog.close();
  element.scrollIntoView({ block: 'nearest' });
  news.textContent = question.textContent;
}

document.addEventListener('leima:swap', ({ detail: { name, element, before } }) => {
  if (name === 'questions') asked(element);
  if (name === 'filled') celebrate(before, element);
  if (name === 'face') press(before, element);
  if (name === 'notices') offerPush();
});

// The secret is renewed when another device signs out: with the old one the code would only earn.
document.addEventListener('leima:page', ({ detail: { next } }) => {
  if (JSON.parse(next.getElementById('card-data').textContent).secret !== data.secret) location.reload();
});

/* ---- notifications: asked for after the first stamp, by the member's own tap ---- */

const push = () => import('./push.js');

function offerPush() {
  const offer = document.querySelector('[data-push]');
  if (!offer) return;
  const able = 'PushManager' in window && window.Notification?.permission !== 'denied' && data.push.key;
  const standalone = navigator.standalone ?? matchMedia('(display-mode: standalone)').matches;
  offer.hidden = !able && !data.push.simulated;
  document.querySelector('[data-push-home]').hidden = !offer.hidden || standalone || navigator.standalone === undefined;
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-push-ask]');
  if (!button) return;
  button.disabled = true;
  const outcome = await (await push()).ask(home, data.push);
  button.closest('[data-push]').hidden = true;
  for (const say of document.querySelectorAll('[data-push-say]')) say.hidden = say.dataset.pushSay !== outcome;
  poll();
});

offerPush();
// The browser may have changed the subscription while the page was closed, so it is posted again at each start.
setTimeout(() => {
  if (window.Notification?.permission === 'granted') push().then((module) => module.again(home));
  tellWorker({ type: 'keep', missing: true });
}, 2 * PAUSE);
