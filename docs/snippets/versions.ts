/** Events that have changed, and a function that was called something else, for the guide on deploying. */
import { app, event, fn } from 'millrace'
import { z } from 'zod'

const byOrder = (order: { readonly orderId: string }): string => order.orderId
const byUser = (user: { readonly userId: string }): string => user.userId

// #region upcast
export const PaidV1 = event('Paid', z.object({ orderId: z.string(), cents: z.int() }), { key: byOrder })

export const Paid = event('Paid', z.object({ orderId: z.string(), cents: z.int(), currency: z.enum(['EUR', 'USD']) }), {
  version: 2,
  key: byOrder,
  upcast: (from) => from(PaidV1, (old) => ({ ...old, currency: 'EUR' })),
})
// #endregion

// #region split
export const Renamed = event('Renamed', z.object({ userId: z.string(), name: z.string() }), { key: byUser })
export const Moved = event('Moved', z.object({ userId: z.string(), town: z.string() }), { key: byUser })

/** No longer published. What the log has of it is read as the two others, in one turn. */
export const ProfileChanged = event('ProfileChanged', z.object({ userId: z.string(), name: z.string(), town: z.string() }), {
  key: byUser,
  becomes: (into) => into([Renamed, Moved], ({ userId, name, town }) => [Renamed({ userId, name }), Moved({ userId, town })]),
})
// #endregion

// #region rename
export const sendReceipt = fn('send-receipt', Paid, {
  was: 'mail-receipt',
  run: ({ orderId, cents, currency }, ctx) => ctx.log.info(`receipt for ${orderId}: ${cents} ${currency}`),
})
// #endregion

export const greetAtNewTown = fn('greet-at-new-town', [Renamed, Moved], {
  run: (change, ctx) => ctx.log.info('town' in change ? `welcome to ${change.town}` : `hello, ${change.name}`),
})

export const today = app('versions', [PaidV1, Paid, Renamed, Moved, ProfileChanged, sendReceipt, greetAtNewTown])
