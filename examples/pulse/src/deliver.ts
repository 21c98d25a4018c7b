/** Sends all deliveries to a pulse that runs: npm run deliver -- http://127.0.0.1:3001 */
import { allDeliveries, requestOf } from './payloads.ts'

const url = process.argv[2] ?? 'http://127.0.0.1:3001'
const secret = process.env['GITHUB_SECRET'] ?? 'pulse-on-localhost'
const answers = new Map<number, number>()
const left = [...allDeliveries()]
await Promise.all(Array.from({ length: 16 }, deliverSome))
for (const [status, count] of answers) process.stdout.write(`${count} answered with ${status}\n`)

async function deliverSome(): Promise<void> {
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const { status } = await fetch(`${url}/hooks/github`, requestOf(next, secret))
    answers.set(status, (answers.get(status) ?? 0) + 1)
  }
}
