/** JSON as it comes from outside: where it breaks, which the engine does not say for short texts, and how deep it goes. */
import { fault } from './fault.ts'

/** Deeper ones would end every recursion that comes later: a schema's, the writer's, a handler's. */
export const depthMax = 200

/** What it says, or the fault JSON_BROKEN with the place. */
export function parsedJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw brokenFault(text, brokenAt(text), '')
  }
  if (text.length <= depthMax) return value
  const deep = tooDeepAt(text)
  if (deep !== undefined) throw brokenFault(text, deep, `nested more than ${depthMax} deep: `)
  return value
}

/** The place of the first token that cannot be, for a text that is no JSON. */
export function brokenAt(text: string): number {
  const open: string[] = []
  let want: 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' | 'end' = 'value'
  let at = 0
  for (;;) {
    at = after(space, text, at) ?? at
    const letter = text[at]
    const closes = (letter === ']' || letter === '}') && open.at(-1) === letter
    if (want.endsWith('or end') && closes) {
      open.pop()
      at += 1
      want = open.length === 0 ? 'end' : 'comma or end'
    } else if (want === 'comma or end' && letter === ',') {
      at += 1
      want = open.at(-1) === ']' ? 'value' : 'name'
    } else if (want === 'colon' && letter === ':') {
      at += 1
      want = 'value'
    } else if (want === 'name' || want === 'name or end') {
      const end = letter === '"' ? afterText(text, at) : undefined
      if (end === undefined) return at
      at = end
      want = 'colon'
    } else if (!want.startsWith('value')) {
      return at
    } else if (letter === '[' || letter === '{') {
      open.push(letter === '[' ? ']' : '}')
      at += 1
      want = letter === '[' ? 'value or end' : 'name or end'
    } else {
      const end = letter === '"' ? afterText(text, at) : after(scalar, text, at)
      if (end === undefined) return at
      at = end
      want = open.length === 0 ? 'end' : 'comma or end'
    }
  }
}

const space = /[ \t\r\n]+/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

function after(token: RegExp, text: string, at: number): number | undefined {
  token.lastIndex = at
  return token.test(text) ? token.lastIndex : undefined
}

function afterText(text: string, start: number): number | undefined {
  let at = start + 1
  while (at < text.length) {
    const letter = text.charCodeAt(at)
    if (letter === quote) return at + 1
    if (letter < 0x20) return undefined
    const next = letter === backslash ? after(escape, text, at) : at + 1
    if (next === undefined) return undefined
    at = next
  }
  return undefined
}

const quote = 0x22
const backslash = 0x5c

/** Of a text that is JSON. */
function tooDeepAt(text: string): number | undefined {
  let depth = 0
  let inText = false
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at)
    if (letter === quote) inText = !inText
    else if (inText) at += letter === backslash ? 1 : 0
    else if (letter === 0x5b || letter === 0x7b) depth += 1
    else if (letter === 0x5d || letter === 0x7d) depth -= 1
    if (depth > depthMax) return at
  }
  return undefined
}

function brokenFault(text: string, position: number, why: string): Error {
  const before = text.slice(0, position)
  const line = before.split('\n').length
  const column = position - before.lastIndexOf('\n')
  return fault('JSON_BROKEN', `${why}line ${line}, column ${column}`, { position, line, column })
}
