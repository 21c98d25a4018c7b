/** The warehouse: reserves and ships. It has no unicorns, and a ghost makes it talk nonsense until somebody mends it. */
import { serveProvider } from './provider-server.ts'

let mended = process.env['MENDED'] === 'yes'

serveProvider(
  {
    '/reservations': ({ sku }, count) => {
      if (sku === 'ghost' && !mended) return undefined
      if (sku === 'unicorn') return { status: 409, body: { outcome: 'missing' } }
      return { status: 200, body: { outcome: 'reserved', reservation: `shelf-${count}` } }
    },
    '/parcels': (_, count) => ({ status: 200, body: { outcome: 'shipped', parcel: `parcel-${count}` } }),
  },
  { '/mend': () => void (mended = true) },
)
