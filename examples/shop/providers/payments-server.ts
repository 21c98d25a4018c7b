/** The payment provider: takes money, declines cards without cover, gives money back. */
import { serveProvider } from './provider-server.ts'

serveProvider({
  '/charges': ({ card }, count) =>
    card === 'tok_broke'
      ? { status: 402, body: { outcome: 'declined', because: 'insufficient funds' } }
      : { status: 200, body: { outcome: 'taken', payment: `pay-${count}` } },
  '/refunds': () => ({ status: 200, body: { outcome: 'returned' } }),
})
