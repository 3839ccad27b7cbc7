/* The till page, made fast. Everything works without it, as plain forms. */

import { startCountdown } from "./till-clock.js";
import { filled, startAmount, startLetters } from "./till-keys.js";
import { startNetwork } from "./till-net.js";
import { startScanner } from "./till-scanner.js";

const network = startNetwork();
const sale = document.querySelector("[data-purchase]");
const amount = startAmount(sale, network);
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
    if (sale && form.matches("[data-keeps]")) keep(form);
    form.submit();
    return;
  }
  busy = false;
  buttons.forEach((button) => button.removeAttribute("aria-disabled"));
}

/* A code that is read opens another page: what the sale has in it goes along. */
function keep(form) {
  for (const [name, value] of filled(sale)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
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
if (asked) import("./till-ask.js").then((module) => module.startAsking(asked, sale));

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
