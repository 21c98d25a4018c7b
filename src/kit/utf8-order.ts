/**
 * The order of texts that every store agrees on: by their UTF-8 bytes, which is the order of code points.
 * JavaScript's `<` goes by UTF-16 units, where a surrogate pair (U+10000 and up) stands before U+E000.
 */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Surrogates move above everything else of 16 bits. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
