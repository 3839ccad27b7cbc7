/* A USB scanner is a keyboard that types a whole code within a few hundredths of a second and ends with Enter.
   It is heard wherever the focus is; a person who types is slower and is left alone. */

const GAP = 80; // milliseconds between two symbols; nobody types eight in a row that fast
const SHORTEST = 8; // symbols of the shortest code

/**
 * @param {(code: string) => void} onCode called with what was scanned
 * @param {() => void} onStart called at the first symbol of what may become a code
 */
export function startScanner(onCode, onStart) {
  let heard = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    const gap = event.timeStamp - last;
    if (event.key === "Enter") {
      const code = heard;
      heard = "";
      if (gap > GAP * 2 || code.length < SHORTEST) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      onCode(code);
      return;
    }
    if (event.key.length !== 1 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (gap > GAP || !heard) {
      heard = "";
      onStart();
    }
    heard += event.key;
    last = event.timeStamp;
  }, true);
}
