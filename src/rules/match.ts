/**
 * Whether an event fits a pattern. Compiled once, with every mistake told by its place;
 * then a walk over the fields that the pattern names, and a choice of one leaf for each.
 *
 *   pattern ──$or multiplied out──▶ sub-rules: what the leaves of each path must be
 *   event ───────gathered─────────▶ the leaves of those paths, each with the array elements that it comes from
 *
 * It fits where one sub-rule has a leaf for each of its paths, no two of them from different elements of one array.
 */
import { fault } from '../kit/fault.ts'
import { conditionsOf, type Condition } from './condition.ts'

export type Matcher = (value: unknown) => boolean

/** `what` stands before the message of the fault PATTERN_INVALID. Throws, when called, only PATTERN_TOO_COSTLY. */
export function compilePattern(pattern: unknown, what = 'pattern'): Matcher {
  const rules = conditionsOf(pattern, what)
  const conditions = [...new Set(rules.flat())]
  const slots = rules.map((rule) => rule.map((condition) => conditions.indexOf(condition)))
  const root = fieldAt(undefined, conditions)
  // Used again and again: nothing that is asked while they are filled comes back here.
  const spots = conditions.map((): Spot => ({ leaf: false, fits: false, inner: undefined }))
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    for (const spot of spots) clear(spot)
    gather(root, value, undefined, 0, conditions, spots)
    const flat = spots.every(({ inner }) => inner === undefined)
    return slots.some((rule) => (flat ? fitsFlat(rule, conditions, spots) : fits(rule, conditions, spots, what)))
  }
}

function clear(spot: Spot): void {
  spot.leaf = false
  spot.fits = false
  spot.inner = undefined
}

/** Without arrays of objects there is one leaf a path, and nothing to choose. */
function fitsFlat(rule: readonly number[], conditions: readonly Condition[], spots: readonly Spot[]): boolean {
  return rule.every((slot) => spots[slot]?.fits === true || (conditions[slot]?.absent === true && spots[slot]?.leaf === false))
}

/**
 * A prefix of the wanted paths, and under which of an object's names they go on.
 * A name may itself contain dots: `{ 'a.b': 1 }` and `{ a: { b: 1 } }` are one path.
 */
interface Field {
  readonly conditions: readonly number[]
  readonly names: ReadonlyMap<string, Field>
}

function fieldAt(path: string | undefined, conditions: readonly Condition[], known = new Map<string | undefined, Field>()): Field {
  const before = known.get(path)
  if (before !== undefined) return before
  const names = new Map<string, Field>()
  const field = { conditions: conditions.flatMap((condition, at) => (condition.path === path ? [at] : [])), names }
  known.set(path, field)
  for (const { path: wanted } of conditions) {
    if (path !== undefined && !wanted.startsWith(`${path}.`)) continue
    const parts = (path === undefined ? wanted : wanted.slice(path.length + 1)).split('.')
    for (const length of parts.keys()) {
      const name = parts.slice(0, length + 1).join('.')
      if (!names.has(name)) names.set(name, fieldAt(path === undefined ? name : `${path}.${name}`, conditions, known))
    }
  }
  return field
}

/** The leaves of one path that come from the same elements of the same arrays: to be told apart no further. */
interface Spot {
  /** There is one. */
  leaf: boolean
  /** One of them fits the condition. */
  fits: boolean
  /** Those further in, by array and element. */
  inner: Map<Occurrence, Map<number, Spot>> | undefined
}

/** One array at its place in the event. An object of its own: the same array may stand at two places. */
interface Occurrence {
  readonly outer: Place | undefined
}

interface Place {
  readonly array: Occurrence
  readonly element: number
}

/** Arrays are transparent. An element that is an object or an array is a place of its own; a scalar belongs where its array belongs. */
function gather(
  field: Field,
  value: unknown,
  place: Place | undefined,
  depth: number,
  conditions: readonly Condition[],
  spots: readonly Spot[],
): void {
  if (Array.isArray(value)) {
    if (depth === depthMax) throw fault('PATTERN_TOO_COSTLY', `arrays nested deeper than ${depthMax}`)
    const array: Occurrence = { outer: place }
    for (const [element, item] of value.entries())
      gather(field, item, typeof item === 'object' && item !== null ? { array, element } : place, depth + 1, conditions, spots)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, next] of field.names)
      if (Object.hasOwn(value, name)) gather(next, Reflect.get(value, name), place, depth, conditions, spots)
  } else if (value !== undefined) {
    for (const at of field.conditions) {
      const spot = spotAt(spots[at], place)
      const condition = conditions[at]
      if (spot === undefined || condition === undefined) continue
      spot.leaf = true
      spot.fits ||= condition.tests.some((test) => test(value))
    }
  }
}

function spotAt(root: Spot | undefined, place: Place | undefined): Spot | undefined {
  if (place === undefined) return root
  const outer = spotAt(root, place.array.outer)
  if (outer === undefined) return undefined
  outer.inner ??= new Map()
  const elements = outer.inner.get(place.array) ?? new Map<number, Spot>()
  outer.inner.set(place.array, elements)
  const spot = elements.get(place.element) ?? { leaf: false, fits: false, inner: undefined }
  elements.set(place.element, spot)
  return spot
}

const depthMax = 1_000
/** Events that come from outside choose how long their arrays are; nobody may hold up everybody with them. */
const stepsMax = 1_000_000

/** In ascending order of paths: `exists: false` looks at the leaves that go together with those chosen before it. */
function fits(rule: readonly number[], conditions: readonly Condition[], spots: readonly Spot[], what: string): boolean {
  const chosen = new Map<Occurrence, number>()
  let steps = 0

  const choose = (spot: Spot, next: number): boolean => {
    steps++
    if (steps > stepsMax) throw fault('PATTERN_TOO_COSTLY', what, { steps })
    if (spot.fits && from(next)) return true
    for (const [array, elements] of spot.inner ?? []) {
      const element = chosen.get(array)
      if (element !== undefined) {
        const there = elements.get(element)
        if (there !== undefined && choose(there, next)) return true
        continue
      }
      for (const [index, there] of elements) {
        chosen.set(array, index)
        if (choose(there, next)) return true
      }
      chosen.delete(array)
    }
    return false
  }

  const from = (at: number): boolean => {
    const slot = rule[at]
    const spot = slot === undefined ? undefined : spots[slot]
    const condition = slot === undefined ? undefined : conditions[slot]
    if (spot === undefined || condition === undefined) return true
    if (choose(spot, at + 1)) return true
    return condition.absent && !isThere(spot, chosen) && from(at + 1)
  }

  return rule.every((slot) => conditions[slot]?.absent === true || mayFit(spots[slot])) && from(0)
}

/** Whatever is chosen for the others: most events fail here. */
function mayFit(spot: Spot | undefined): boolean {
  if (spot === undefined) return false
  if (spot.fits) return true
  for (const elements of spot.inner?.values() ?? []) for (const there of elements.values()) if (mayFit(there)) return true
  return false
}

/** Whether there is a leaf that goes together with what is chosen. */
function isThere(spot: Spot, chosen: ReadonlyMap<Occurrence, number>): boolean {
  if (spot.leaf) return true
  for (const [array, elements] of spot.inner ?? []) {
    const element = chosen.get(array)
    const there = element === undefined ? undefined : elements.get(element)
    if (there !== undefined && isThere(there, chosen)) return true
    if (element === undefined) for (const other of elements.values()) if (isThere(other, chosen)) return true
  }
  return false
}
