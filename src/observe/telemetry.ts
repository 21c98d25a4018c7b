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
  const line = { time, level, message, ...apart(plain(fields)) }
  try {
    return JSON.stringify(line)
  } catch {
    const parts = Object.entries(line).map(([name, value]) => `${JSON.stringify(name)}:${written(value)}`)
    return `{${parts.join(',')}}`
  }
}

function textLine(time: string, level: Level, message: string, fields: Fields = {}, colours: boolean): string {
  const rest = Object.entries(plain(fields)).map(
    ([name, value]) => `${name}=${typeof value === 'string' && /^[\w./:@#-]+$/.test(value) ? value : written(value)}`,
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

/** A field may be called as a line's own part is: it stands beside it, and hides nothing. */
function apart(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [ownParts.has(name) ? `${name}_` : name, value]))
}

const ownParts: ReadonlySet<string> = new Set(['time', 'level', 'message'])

/** To log must never fail what logs: what JSON cannot say is said as text, or as nothing. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value, sayable()) ?? 'null'
  } catch {
    return 'null'
  }
}

function sayable(): (name: string, value: unknown) => unknown {
  const above = new Set<unknown>()
  return (_name, value) => {
    if (typeof value === 'bigint') return String(value)
    if (typeof value !== 'object' || value === null) return value
    if (above.has(value)) return '(seen above)'
    above.add(value)
    return value
  }
}
