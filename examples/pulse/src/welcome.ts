/** What `npm start` prints: what to try next. Every command works when pasted. */
import { join } from 'node:path'

export function welcome({ url, folder }: { readonly url: string; readonly folder: string }): string {
  return `pulse listens at ${url}, and keeps what it knows in ${folder}. Try, in another terminal:

  ${process.execPath} ${join(import.meta.dirname, 'deliver.ts')} ${url}     # 329 real deliveries, signed
  curl ${url}/totals
  curl '${url}/deliveries?place=Codertocat/Hello-World'
  curl ${url}/senders
  curl ${url}/items/open
  curl ${url}/alarms

Ctrl-C ends it; started again it goes on where it stopped. Deliver once more: nothing happens twice.

`
}
