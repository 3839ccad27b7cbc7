/* The till page, made fast. Everything works without it, as plain forms. */

import { startCountdown } from "./till-clock.js";
import { startAmount, startLetters } from "./till-keys.js";
import { startNetwork } from "./till-net.js";
import { startScanner } from "./till-scanner.js";

const network = startNetwork();
const amount = startAmount(document.querySelector("[data-purchase]"), network);
startCountdown();
startLetters(document.querySelector("[data-letters]"));

/* One press, one request; and none when the server does not answer, so that the page and the amount stay. */
let busy = false;
async function send(form) {
  if (busy) return;
  busy = true;
  const buttons = document.querySelectorAll("button[data-net]");
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  if (await network.ask()) {
    form.submit();
    return;
  }
  busy = false;
  buttons.forEach((button) => button.removeAttribute("aria-disabled"));
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-guard]")) return;
  event.preventDefault();
  send(event.target);
});

/* A page that comes back from the history is stale: its scan or its undo may be over. */
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

const asked = document.querySelector("[data-asked]");
if (asked) import("./till-ask.js").then((module) => module.startAsking(asked, document.querySelector("[data-purchase]")));

const scan = document.querySelector("[data-scan]");
if (scan) {
  if (!scan.hidden) scan.elements.text.select(); // a scan replaces the code that was refused
  startScanner((code) => {
    amount?.restore();
    if (busy) return;
    scan.elements.text.value = code;
    send(scan);
  }, () => amount?.remember());
}
