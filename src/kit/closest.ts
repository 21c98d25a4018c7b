/** What somebody may have meant: the nearest of what there is, for faults that name them. */

/** At most three: those that begin with it or hold it, then those that a few strokes away. */
export function closest(given: string, known: readonly string[]): readonly string[] {
  const wanted = given.toLowerCase()
  const most = Math.max(1, Math.floor(wanted.length / 3))
  const scored = known.flatMap((name) => {
    const text = name.toLowerCase()
    const holds = wanted.length > 1 && (text.includes(wanted) || (text.length > 2 && wanted.includes(text)))
    const strokes = holds ? 0 : distance(wanted, text, most)
    return strokes > most ? [] : [{ name, strokes }]
  })
  return scored
    .sort((a, b) => a.strokes - b.strokes || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name)
}

/** Letters put in, left out, replaced or swapped; more than `most` is not counted out. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? most) + 1 : most + 1
      next.push(Math.min((last[j] ?? most) + 1, (next[j - 1] ?? most) + 1, (last[j - 1] ?? most) + (same ? 0 : 1), swapped))
    }
    before = last
    last = next
  }
  return last[b.length] ?? most + 1
}
