/** Push subscription. Loaded only when it is needed. */

const PATIENCE = 8000; // ms: `subscribe` hangs for ever where the browser cannot reach its push service

function within(promise, ms) {
  return Promise.race([promise, new Promise((_, fail) => { setTimeout(fail, ms, new Error('timeout')); })]);
}

async function post(home, subscription, again = false) {
  const { endpoint, keys } = subscription.toJSON();
  const answer = await fetch(`${home}push`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ endpoint, keys, again }),
  });
  if (!answer.ok) throw new Error(`push ${answer.status}`);
}

async function subscribe(home, key) {
  const { pushManager } = await within(navigator.serviceWorker.ready, PATIENCE);
  const old = await within(pushManager.getSubscription(), PATIENCE);
  await post(home, old ?? await within(pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }), PATIENCE));
}

/** Ask the member and subscribe this phone; return what to say: 'on', 'simulated' (demo), 'blocked' or 'failed'. */
export async function ask(home, { key, simulated }) {
  try {
    if (!key || !('PushManager' in window)) throw new Error('no push here');
    if (await Notification.requestPermission() === 'denied') return 'blocked';
    if (Notification.permission !== 'granted') return 'failed';
    await subscribe(home, key);
    return 'on';
  } catch {
    if (!simulated) return 'failed';
    const answer = await fetch(`${home}push/simulated`, { method: 'POST' }).catch(() => null);
    return answer?.ok ? 'simulated' : 'failed';
  }
}

/** Post an existing subscription again; never asks and never fails loudly. */
export async function again(home) {
  try {
    const { pushManager } = await within(navigator.serviceWorker.ready, PATIENCE);
    const subscription = await within(pushManager.getSubscription(), PATIENCE);
    if (subscription) await post(home, subscription, true);
  } catch { /* offline, or no push service: the next start tries again */ }
}
