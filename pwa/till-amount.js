/* The amount: keypad, keyboard, and the one button that says what it will do before it is pressed. */

const WAIT = 120; // milliseconds of quiet before the server is asked
const SHAPE = /^\d{0,6}(,\d{0,2})?$/;

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
  let good = field.value;
  let kept = good;
  let timer = 0;
  let asked = null;

  function say(first, second, award) {
    label.textContent = first;
    sub.textContent = second;
    empty.forEach((place, number) => place.classList.toggle("next", number < award));
  }

  async function quote(total) {
    asked = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.quote}?total_cents=${total}`, { signal: asked.signal });
      if (!answer.ok) return say(form.dataset.plain, "", 0);
      const found = await answer.json();
      network.show(true);
      say(found.label, found.reason || found.sub, found.award ?? 0);
    } catch (fault) {
      if (fault.name !== "AbortError") network.show(false);
    }
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
  put(field.value.replace(".", ","));

  return {
    remember() { kept = good; },
    restore() { put(kept); },
  };
}
