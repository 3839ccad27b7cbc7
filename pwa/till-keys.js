/* The keys on the page: the amount with its keypad and the one button that says what it will do before it is pressed,
   and the symbols of a code. */

const WAIT = 120; // milliseconds of quiet before the server is asked
const USED = /^(use|gift|code|spend-.*)$/;
const TYPED = /^(amount|receipt)$/;
const SHAPE = /^\d{0,6}(,\d{0,2})?$/;

/** @returns {[string, string][]} what a sale has in it: typed, chosen and read. It must outlive the next page. */
export function filled(form) {
  return [...new FormData(form)].filter(([name, value]) => value && (USED.test(name) || TYPED.test(name)));
}

/** @returns whole cents of what was typed ("42", "42,5", "42,00"), 0 while there is nothing */
export function cents(typed) {
  const [euros, rest = ""] = typed.split(",");
  return Number(euros || 0) * 100 + Number(rest.padEnd(2, "0"));
}

/**
 * @param {HTMLFormElement | null} form the purchase; without one there is nothing to start
 * @param {{show: (online: boolean) => boolean}} network
 */
export function startAmount(form, network) {
  if (!form) return null;
  const field = form.elements.amount;
  const button = form.querySelector(".main");
  const label = form.querySelector("[data-label]");
  const sub = form.querySelector("[data-sub]");
  const empty = document.querySelectorAll(".stamps li:not(.on)");
  const owed = Math.max(0, -Number(document.querySelector(".stamps")?.dataset.stamps ?? 0)); // paid back first
  let good = field.value;
  let kept = good;
  let timer = 0;
  let asked = null;
  const due = form.querySelector("[data-due]");
  const approval = form.querySelector("[data-approval]");

  function say(first, second, award, toPay = "") {
    label.textContent = first;
    sub.textContent = second;
    due.textContent = toPay;
    due.hidden = !toPay;
    empty.forEach((place, number) => place.classList.toggle("next", number < award - owed));
  }

  async function quote(total) {
    asked = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.quote}?${wanted(total)}`, { signal: asked.signal });
      const found = await answer.json();
      network.show(true);
      if (found.code === "needs_approval") approval.hidden = false;
      if (!answer.ok) return say(form.dataset.plain, found.title, 0);
      say(found.label, found.reason || found.sub, found.award ?? 0, found.due);
    } catch (fault) {
      if (fault.name !== "AbortError") network.show(false);
    }
  }

  /** The amount, and what of the member's own pays for it: fields of this form that stand beside it too. */
  function wanted(total) {
    const said = new URLSearchParams({ total_cents: total });
    for (const [name, value] of new FormData(form)) {
      if (USED.test(name) && value) said.append(name, value);
    }
    return said;
  }

  function changed() {
    clearTimeout(timer);
    asked?.abort();
    const total = cents(field.value);
    button.classList.toggle("is-idle", total === 0);
    if (total === 0) return say(form.dataset.plain, form.dataset.empty, 0);
    say(form.dataset.plain, form.dataset.asking, 0);
    timer = setTimeout(quote, WAIT, total);
  }

  function put(typed) {
    field.value = good = SHAPE.test(typed) ? typed : good;
    changed();
  }

  function press(key) {
    if (key === "back") put(good.slice(0, -1));
    else put(key === "," && !good ? "0," : good === "0" && key !== "," ? key : good + key);
  }

  form.querySelector("[data-keys]").hidden = false;
  form.querySelector("[data-keys]").addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]");
    if (key) press(key.dataset.key);
  });
  field.inputMode = "none"; // the keypad is on the page; a real keyboard still types
  field.addEventListener("input", () => put(field.value.replace(".", ",").replace(/[^\d,]/g, "")));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input,a,summary") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[\d,.]$/.test(event.key)) press(event.key.replace(".", ","));
    else if (event.key === "Backspace") press("back");
    else if (event.key === "Enter" && !event.target.closest("button")) form.requestSubmit();
    else return;
    event.preventDefault();
  });
  for (const one of form.elements) {
    if (USED.test(one.name)) one.addEventListener(one.type === "checkbox" ? "change" : "input", changed);
  }
  put(field.value.replace(".", ","));

  return {
    remember() { kept = good; },
    restore() { put(kept); },
  };
}

/**
 * The 32 symbols of a code, for a tablet: the system's own keyboard would hide half of the page. A phone keeps its own.
 *
 * @param {HTMLElement | null} board the keys; without them there is nothing to start
 */
export function startLetters(board) {
  if (!board || !matchMedia("(min-width:701px)").matches) return;
  const field = board.closest("form").elements.text;
  const back = board.closest("form").querySelector("[data-back]");
  board.hidden = back.hidden = false;
  field.inputMode = "none";
  board.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]");
    if (key) field.value += key.dataset.key;
  });
  back.addEventListener("click", () => { field.value = field.value.slice(0, -1); });
}
