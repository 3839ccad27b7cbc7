/* The member was asked in the app: look each second whether there is an answer, then show it. What was typed stays. */

const EVERY = 1000; // milliseconds

/**
 * @param {HTMLElement} part what waits, with the page's address
 * @param {HTMLFormElement} form the purchase
 */
export function startAsking(part, form) {
  const { asked, page } = part.dataset;

  function show() {
    const typed = new URLSearchParams();
    for (const name of ["amount", "receipt"]) if (form.elements[name].value) typed.set(name, form.elements[name].value);
    location.replace(`${page}?${typed}`);
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
