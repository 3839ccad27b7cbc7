/** The member's QR code: a new one every 30 seconds, made on the phone, with or without a connection. */

import { correction, generate } from './vendor/lean-qr-2.7.4/index.mjs';

const STEP = 30; // seconds
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'; // base32, RFC 4648

function fromBase32(text) {
  const bytes = [];
  let bits = 0;
  let value = 0;
  for (const symbol of text.toUpperCase().replace(/=+$/, '')) {
    value = ((value << 5) | ALPHABET.indexOf(symbol)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return new Uint8Array(bytes);
}

/** Return the time in seconds, corrected by what phone.js learned about this phone's clock. */
export function now() {
  let skew = 0;
  try { skew = Number(localStorage.getItem('leima.skew')) || 0; } catch { /* storage is blocked */ }
  return Date.now() / 1000 + skew;
}

/** Return the 6 digits of `secret` (base32) at `at` seconds: TOTP of RFC 6238 with SHA-1. */
export async function totp(secret, at) {
  const key = await crypto.subtle.importKey('raw', fromBase32(secret), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setUint32(4, Math.floor(at / STEP));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, counter.buffer));
  const number = mac.getUint32(mac.getUint8(19) & 15) & 0x7fffffff;
  return String(number % 1e6).padStart(6, '0');
}

/** Return {size, path} of a QR code of level M: runs of dark modules, to be drawn as a stroke one module wide. */
export function qr(text) {
  const code = generate(text, { minCorrectionLevel: correction.M, maxCorrectionLevel: correction.M });
  let path = '';
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      const from = x;
      while (code.get(x, y)) x += 1;
      if (x > from) path += `M${from} ${y}.5h${x - from}`;
    }
  }
  return { size: code.size, path };
}

/** Draw the code of now into every one of `drawings` (svg elements), and again at each step while visible. */
export function rotate(drawings, { base, id, secret }) {
  let timer = 0;
  async function draw() {
    const at = now();
    const { size, path } = qr(`${base}${id}.${await totp(secret, at)}`.toUpperCase());
    for (const svg of drawings) {
      svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
      svg.firstElementChild.setAttribute('d', path);
    }
    clearTimeout(timer);
    timer = setTimeout(draw, (STEP - (at % STEP)) * 1000 + 20);
  }
  document.addEventListener('visibilitychange', () => { if (!document.hidden) draw(); });
  document.addEventListener('leima:clock', draw);
  return draw();
}
