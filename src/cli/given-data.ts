/** Data on a command line: JSON as it is, `@FILE`, or `-` for stdin. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { asError, fault } from '../kit/fault.ts'
import { parsedJson } from '../kit/json-text.ts'

/** As text; the fault JSON_BROKEN says where it breaks. */
export async function readData(given: string): Promise<string> {
  const read = given === '-' ? await text(process.stdin) : given.startsWith('@') ? await fromFile(given.slice(1)) : given
  parsedJson(read)
  return read
}

async function fromFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw fault('USAGE_WRONG', `${path} could not be read: ${asError(error).message}`, { path }, error)
  }
}
