/** What a started app asks of the process that it runs in. */
export const nodeProcess = {
  env: process.env,
  pid: process.pid,
  version: process.version,
  /** Somebody reads along. */
  terminal: process.stdout.isTTY === true,
  colours: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  write: (line: string): void => void process.stdout.write(`${line}\n`),
} as const
