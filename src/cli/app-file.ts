/** Loads the module of an app, and finds the app in it. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from '../define/app.ts'
import { asError, fault, isFault } from '../kit/fault.ts'

/** Which export it is, where there are several. */
const usual = ['default', 'app', 'main']

export async function loadApp(file: string): Promise<App> {
  const path = resolve(file)
  if (!existsSync(path)) throw fault('APP_FILE_INVALID', `${file} does not exist`, { file })
  const exported = await imported(path, file)
  const apps = Object.entries(exported).filter((one): one is [string, App] => isApp(one[1]))
  const different = new Set(apps.map(([, app]) => app))
  const [only] = different
  if (only !== undefined && different.size === 1) return only
  for (const name of usual) {
    const app = apps.find(([known]) => known === name)
    if (app !== undefined) return app[1]
  }
  const names = Object.keys(exported)
  if (apps.length > 1)
    throw fault(
      'APP_FILE_INVALID',
      `${file} exports ${apps.length} apps: ${apps.map(([name]) => name).join(', ')}. Export one, or name one of them ${usual[1]}`,
      { file, apps: apps.map(([name]) => name) },
    )
  throw fault(
    'APP_FILE_INVALID',
    `${file} exports no app${names.length === 0 ? ': nothing at all' : `, but ${names.slice(0, 10).join(', ')}`}`,
    { file, exports: names },
  )
}

async function imported(path: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
  } catch (thrown) {
    if (isFault(thrown) || isForeignFault(thrown)) throw thrown
    const error = asError(thrown)
    throw fault('APP_FILE_INVALID', `${file} could not be loaded: ${error.message}${placeOf(error, file)}`, { file }, thrown)
  }
}

/** Of another copy of the package. */
export function isForeignFault(thrown: unknown): thrown is Error & { readonly code: string } {
  return thrown instanceof Error && thrown.name === 'Fault' && 'code' in thrown && typeof thrown.code === 'string'
}

/** The first place in code of the app that the stack names; of a syntax error in JavaScript it names none. */
function placeOf(error: Error, file: string): string {
  const lines = (error.stack ?? '').split('\n').filter((line) => line.includes('/') && !line.includes('node:'))
  const place = /(?:file:\/\/)?(\/[^\s()]+:\d+)/.exec(lines[0] ?? '')?.[1]
  if (place !== undefined) return ` (${place})`
  return error instanceof SyntaxError ? `; node --check ${file} may show where` : ''
}

function isApp(value: unknown): value is App {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'app' && 'words' in value && Array.isArray(value.words)
  )
}
