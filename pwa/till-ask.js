/* The member was asked in the app: look each second whether there is an answer, then show it. What was typed stays. */

import { filled } from "./till-keys.js";

const EVERY = 1000; // milliseconds

/**
 * @param {HTMLElement} part what waits, with the page's address
 * @param {HTMLFormElement} form the purchase
 */
export function startAsking(part, form) {
  const { asked, page } = part.dataset;

  function show() {
    location.replace(`${page}?${new URLSearchParams(filled(form))}`);
  }

  async function look() {
    try {
      const answer = await fetch(`${page}/asked`, { cache: "no-store" });
      if (answer.status >= 500) throw new Error(`asked ${answer.status}`);
      if (!answer.ok || (await answer.json()).state !== asked) return show();
    } catch { /* no network: the pill says so, and it is looked at again */ }
    return setTimeout(look, EVERY);
  }
  setTimeout(look, EVERY);
}
