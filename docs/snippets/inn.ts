/** The smallest app with everything in it: an event, a function, a projection, a query, two routes. Run it with `millrace start`. */
// #region inn
import { app, event, fn, projection, route } from 'millrace'
import { z } from 'zod'

const visit = z.object({ name: z.string() })
const Visited = event('Visited', visit, { key: ({ name }) => name })
const Greeted = event('Greeted', visit, { key: ({ name }) => name })

const greet = fn('greet', Visited, { emits: [Greeted], run: ({ name }) => Greeted({ name }) })

const guests = projection('guests', z.object({ name: z.string(), visits: z.int() }), {
  key: 'name',
  apply: (on) => [on(Greeted, (rows, { name }) => rows.change(name, (row) => ({ name, visits: (row?.visits ?? 0) + 1 })))],
})
const guest = guests.query('guest', visit, (rows, { name }) => rows.get(name))

export const inn = app('inn', [Visited, Greeted, greet, guests, guest, route('POST /visits', Visited), route('GET /guests/:name', guest)])
// #endregion
