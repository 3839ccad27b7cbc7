/* A USB scanner is a keyboard that types a whole code in a moment and ends with Enter. It is heard wherever the focus is.
   A text field keeps what was typed into it, since its form sends that; only a member's address is never meant for a field. */

const GAP = 200; // milliseconds between two symbols; scanners need 2 to 30, a busy computer shows some late
const SHORTEST = 8; // symbols of the shortest code: longer than an amount
const AMOUNT = /^\d+[.,]\d{0,2}$/;
const ADDRESS = /^https?\W/i;

/**
 * @param {(code: string) => void} onCode called with what was scanned
 * @param {() => void} onStart called at the first symbol of what may become a code
 */
export function startScanner(onCode, onStart) {
  let heard = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    const late = event.timeStamp - last > GAP;
    if (event.key === "Enter") {
      const code = late ? "" : heard;
      const inField = event.target.matches("input:not([name=amount])");
      heard = "";
      if (code.length < SHORTEST || AMOUNT.test(code) || (inField && !ADDRESS.test(code))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      onCode(code);
      return;
    }
    if (event.key.length !== 1 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (late || !heard) {
      heard = "";
      onStart();
    }
    heard += event.key;
    last = event.timeStamp;
  }, true);
}
