/** What a command writes: text for people in the width that they have, colours on a terminal only, JSON for scripts. */
import { styleText } from 'node:util'

export interface Column {
  readonly title: string
  readonly right?: true
  /** Gives way where the width is short; the last one does otherwise. */
  readonly least?: number
}

const keyMost = 60

type Style = Parameters<typeof styleText>[0]

export interface Screen {
  readonly json: boolean
  readonly debug: boolean
  line(text?: string): void
  /** One value, as one JSON text on one line. */
  value(value: unknown): void
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void
  styled(style: Style, text: string): string
  /** On stderr: what is no result. */
  note(text: string): void
}

export interface ScreenOptions {
  readonly json: boolean
  readonly debug: boolean
  readonly write: (text: string) => void
  readonly writeNote: (text: string) => void
  readonly colours: boolean
  /** `undefined`: as wide as it is. */
  readonly width: number | undefined
}

export function screenTo({ json, debug, write, writeNote, colours, width }: ScreenOptions): Screen {
  const styled = (style: Style, text: string): string => (colours ? styleText(style, text, { validateStream: false }) : text)
  return {
    json,
    debug,
    styled,
    line: (text = '') => write(`${printable(text, '\n')}\n`),
    value: (value) => write(`${JSON.stringify(value)}\n`),
    note: (text) => writeNote(`${printable(text, '\n')}\n`),
    table: (columns, given) => {
      const rows = given.map((row) => row.map((cell) => printable(cell, '')))
      const widths = fitted(columns, rows, width)
      write(
        `${styled(
          'dim',
          rowText(
            columns.map(({ title }) => title),
            columns,
            widths,
          ),
        )}\n`,
      )
      for (const row of rows) write(`${rowText(row, columns, widths)}\n`)
    },
  }
}

/** Colours where stdout is a terminal, unless NO_COLOR is set. */
export function processScreen(json: boolean, debug: boolean): Screen {
  const { stdout, stderr, env } = process
  const terminal = stdout.isTTY === true
  return screenTo({
    json,
    debug,
    write: (text) => void stdout.write(text),
    writeNote: (text) => void stderr.write(text),
    colours: terminal && (env['NO_COLOR'] ?? '') === '' && !json,
    width: terminal ? stdout.columns : undefined,
  })
}

export function ago(iso: string, nowMs: number): string {
  const seconds = Math.round((nowMs - Date.parse(iso)) / 1_000)
  if (seconds < 0) return `in ${span(-seconds)}`
  return `${span(seconds)} ago`
}

export function grouped(number: number): string {
  return number.toLocaleString('en')
}

/** Positions are padded so that they compare as texts. */
export function place(position: string): string {
  return position.replace(/^0+(?=\d)/, '')
}

/** A key may be as long as a page: as text its beginning will do, in JSON it is whole. */
export function shortKey(key: string): string {
  return key.length <= keyMost ? key : `${key.slice(0, keyMost - 1).toWellFormed()}…`
}

/** One line: what a message goes on with stands in the details. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

function span(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** Keys, ids and messages are of others, and may hold what moves a cursor, or worse: of all that only our own colours pass. */
function printable(text: string, kept: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character, at: number) => {
    const colour = text.startsWith('\u001b[', at) && /^\d{1,3}m/.test(text.slice(at + 2, at + 6))
    return colour || character === kept ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

/** Where the width is short, the widest column that can gives way first. */
function fitted(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | undefined): readonly number[] {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
  if (width === undefined) return widths
  const least = columns.map(({ title, least: at }, i) =>
    at === undefined && i < columns.length - 1 ? (widths[i] ?? 0) : Math.max(title.length, at ?? 8),
  )
  for (let over = widths.reduce((sum, one) => sum + one + 2, -2) - width; over > 0; over -= 1) {
    const spare = widths.map((one, i) => one - (least[i] ?? one))
    const most = spare.indexOf(Math.max(...spare))
    if ((spare[most] ?? 0) <= 0) break
    widths[most] = (widths[most] ?? 0) - 1
  }
  return widths
}

function rowText(cells: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  const texts = columns.map(({ right }, i) => {
    const width = widths[i] ?? 0
    const cell = cells[i] ?? ''
    const text = cell.length > width ? `${cell.slice(0, Math.max(0, width - 1))}…` : cell
    return right === true ? text.padStart(width) : text.padEnd(width)
  })
  return texts.join('  ').trimEnd()
}
