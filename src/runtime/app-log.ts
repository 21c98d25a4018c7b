/** The log that the app's own code writes to: each line says who wrote it. */
import type { Log } from '../define/context.ts'
import type { Level, Telemetry } from '../ports/telemetry.ts'

export function appLog(telemetry: Telemetry, who: string): Log {
  const say = (level: Level) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    telemetry.log(level, message, { from: who, ...fields })
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
}
