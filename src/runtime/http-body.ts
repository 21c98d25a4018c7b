/** The body of a request: read whole, within a limit, whatever its headers say of its length; and what is in it. */
import { isJsonType } from '../event/envelope.ts'
import { utf8Text } from '../event/envelope-http.ts'
import { fault } from '../kit/fault.ts'
import { parsedJson } from '../kit/json-text.ts'

export async function readBody(request: Request, bytesMax: number): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity')
    throw fault('CONTENT_TYPE_UNKNOWN', `a body in '${encoding}' is not read: send it as it is`, { encoding })
  const length = request.headers.get('content-length')
  if (length !== null) {
    if (Number(length) > bytesMax) throw tooLarge(bytesMax)
    // The server has cut it to its length; a request made in this process may lie.
    const whole = new Uint8Array(await request.arrayBuffer())
    if (whole.length > bytesMax) throw tooLarge(bytesMax)
    return whole
  }
  return request.body === null ? new Uint8Array() : await readStream(request.body, bytesMax)
}

/** The body as JSON; an empty one is no member at all. */
export async function readJson(request: Request, bytesMax: number): Promise<unknown> {
  const body = await readBody(request, bytesMax)
  if (body.length === 0) return {}
  const contentType = request.headers.get('content-type') ?? ''
  if (!isJsonType(contentType)) throw fault('CONTENT_TYPE_UNKNOWN', `'${contentType}' is not JSON`, { contentType })
  return parsedJson(utf8Text(body))
}

async function readStream(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    // Leaving the loop cancels the stream: no more is read than this.
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes)
}

function tooLarge(bytesMax: number): Error {
  return fault('BODY_TOO_LARGE', `more than ${bytesMax} bytes`, { bytesMax })
}
