/** Counts what is counted, and writes what is logged: one line each, for people on a terminal, for machines elsewhere. */
import type { Fields, Level, Telemetry } from '../ports/telemetry.ts'

export interface Sink {
  /** Given: lines are written. One text without its line end. */
  readonly write?: (line: string) => void
  readonly form: 'text' | 'json'
  readonly least: Level
  readonly colours: boolean
  readonly nowMs: () => number
}

export interface Counting extends Telemetry {
  /** By name and labels, as Prometheus writes them. */
  counters(): ReadonlyMap<string, number>
}

const levels: readonly Level[] = ['debug', 'info', 'warn', 'error']

export function telemetryTo(sink: Sink): Counting {
  const counters = new Map<string, number>()
  const least = levels.indexOf(sink.least)
  return {
    counters: () => counters,
    count(name, by, labels) {
      const key =
        labels === undefined
          ? name
          : `${name}{${Object.entries(labels)
              .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
              .join(',')}}`
      counters.set(key, (counters.get(key) ?? 0) + by)
    },
    record: () => {},
    span: (_name, _fields, run) => run(),
    log(level, message, fields) {
      if (sink.write === undefined || levels.indexOf(level) < least) return
      const time = new Date(sink.nowMs()).toISOString()
      sink.write(sink.form === 'json' ? jsonLine(time, level, message, fields) : textLine(time, level, message, fields, sink.colours))
    },
  }
}

function jsonLine(time: string, level: Level, message: string, fields: Fields = {}): string {
  return JSON.stringify({ time, level, message, ...plain(fields) })
}

function textLine(time: string, level: Level, message: string, fields: Fields = {}, colours: boolean): string {
  const rest = Object.entries(plain(fields)).map(
    ([name, value]) => `${name}=${typeof value === 'string' && /^[\w./:@#-]+$/.test(value) ? value : JSON.stringify(value)}`,
  )
  const head = `${time.slice(11, 23)} ${level.padEnd(5)}`
  const tail = rest.length === 0 ? '' : `  ${colours ? `\u001b[2m${rest.join(' ')}\u001b[0m` : rest.join(' ')}`
  return `${colours ? coloured(level, head) : head} ${printable(message)}${tail}`
}

/** A message may hold what somebody else sent: it breaks no line, and colours nothing. */
function printable(message: string): string {
  return message.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    character === '\n' ? ' | ' : JSON.stringify(character).slice(1, -1),
  )
}

function coloured(level: Level, text: string): string {
  const colour = level === 'error' ? 31 : level === 'warn' ? 33 : 2
  return `\u001b[${colour}m${text}\u001b[0m`
}

/** Errors do not show themselves in JSON. */
function plain(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.message : value]))
}
