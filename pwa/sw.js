/**
 * Service worker of one brand, served as it is at /<brand>/sw.js?assets=/assets/<tree hash>/.
 *
 * The brand is in its scope, the folder of the assets in its own query: a new release is a new URL, so the browser
 * installs it and the old cache goes. It keeps the shell, the card and the coupons; other pages come from the network only.
 * Personal pages are wiped at sign-out.
 */

const scope = new URL(self.registration.scope).pathname; // '/<brand>/'
const assets = new URL(self.location).searchParams.get('assets') ?? '/assets/';
const family = `leima ${scope} `;
const CACHE = family + assets;
const PATIENCE = 3000; // ms for a page before the kept one is shown
const FILES = ['tokens.css', 'member.css', 'font.woff2', 'phone.js', 'card.js', 'rotating.js', 'push.js', 'vendor/lean-qr-2.7.4/index.mjs'];
const SHELL = [...FILES.map((file) => assets + file), ...['brand.css', 'manifest.webmanifest', 'icon-192.png', 'offline'].map((file) => scope + file)];
const OFFLINE = `${scope}offline`;
const PAGES = [scope, `${scope}coupons`];
const LOOSE = { ignoreSearch: true, ignoreVary: true };

const open = () => caches.open(CACHE);

/** Fetch the personal pages into the cache; with `missing`, only those that are not there. Signed out, there is nothing to keep. */
async function keep(missing = false) {
  const cache = await open();
  await Promise.all(PAGES.map(async (page) => {
    if (missing && await cache.match(page, LOOSE)) return;
    const answer = await fetch(page, { headers: { Accept: 'text/html' }, cache: 'no-store' }).catch(() => null);
    if (answer?.ok && !answer.redirected) await cache.put(page, answer);
  }));
}

/** Forget the personal pages of this brand, of every release. */
async function wipe() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(family)) continue;
    const cache = await caches.open(name);
    await Promise.all(PAGES.map((page) => cache.delete(page, LOOSE)));
  }
}

async function fromNetwork(request, path) {
  const answer = await fetch(request);
  if (!PAGES.includes(path)) return answer;
  if (answer.type === 'opaqueredirect') await wipe(); // the session is over
  else if (answer.ok) await (await open()).put(path, answer.clone());
  return answer;
}

/** Network first; the kept page when the network is slow, gone or broken; the offline page when nothing is kept. */
async function page(request, path) {
  const cache = await open();
  const kept = PAGES.includes(path) ? await cache.match(path, LOOSE) : undefined;
  const network = fromNetwork(request, path);
  const late = new Promise((resolve) => { if (kept) setTimeout(resolve, PATIENCE, kept); });
  try {
    const answer = await Promise.race([network, late]);
    return kept && answer.status >= 500 ? kept : answer;
  } catch {
    return kept ?? await cache.match(OFFLINE, LOOSE) ?? Response.error();
  } finally {
    network.catch(() => null); // a late failure is nobody's
  }
}

async function fetchAndKeep(request) {
  const answer = await fetch(request);
  if (answer.ok) await (await open()).put(request, answer.clone());
  return answer;
}

/** Cache first; what may change under its name (the brand's colors) is renewed behind the page's back. */
async function asset(event) {
  const kept = await (await open()).match(event.request, LOOSE);
  if (!kept) return fetchAndKeep(event.request);
  if (!event.request.url.includes(assets)) event.waitUntil(fetchAndKeep(event.request).catch(() => null));
  return kept;
}

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(open().then((cache) => cache.addAll(SHELL)).then(() => keep()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith(family) && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.method === 'POST' && pathname === `${scope}sign-out`) event.waitUntil(wipe());
  if (request.method !== 'GET') return;
  if (request.mode === 'navigate') {
    if (pathname.startsWith(scope)) event.respondWith(page(request, pathname));
  } else if (SHELL.includes(pathname) && pathname !== OFFLINE) event.respondWith(asset(event));
});

self.addEventListener('message', (event) => {
  if (event.data?.type === 'keep') event.waitUntil(keep(event.data.missing));
  if (event.data?.type === 'wipe') event.waitUntil(wipe());
});

/* ---- push: Declarative Web Push JSON, which some browsers show by themselves ---- */

async function windows() {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return all.filter((client) => new URL(client.url).pathname.startsWith(scope));
}

async function show(event) {
  let said = {};
  try { said = event.data.json().notification ?? {}; } catch { /* an empty push still must show something */ }
  const { title = decodeURIComponent(scope.slice(1, -1)), body = '', lang = '', dir = 'auto', tag = '', silent = false, navigate = scope } = said;
  for (const client of await windows()) client.postMessage({ type: 'push' });
  await self.registration.showNotification(title, {
    body, lang, dir, tag, silent, renotify: Boolean(tag) && !silent, icon: `${scope}icon-192.png`, data: { navigate },
  });
  if (await (await open()).match(scope, LOOSE)) await keep(); // signed in here: the next opening without a network shows it too
}

self.addEventListener('push', (event) => event.waitUntil(show(event)));

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const wanted = new URL(event.notification.data?.navigate ?? scope, self.location.origin);
  const ours = wanted.origin === self.location.origin && wanted.pathname.startsWith(scope);
  const target = ours ? wanted.href : scope;
  event.waitUntil((async () => {
    const [client] = await windows();
    if (!client) return self.clients.openWindow(target);
    await client.focus();
    return client.navigate(target).catch(() => self.clients.openWindow(target));
  })());
});

self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil((async () => {
    const options = event.oldSubscription?.options;
    if (!options) return;
    const subscription = event.newSubscription ?? await self.registration.pushManager.subscribe(options);
    const { endpoint, keys } = subscription.toJSON();
    await fetch(`${scope}push`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ endpoint, keys, again: true }) });
  })());
});
