/** Notifications: by e-mail, text message and push; in batches, never twice; and an event that became two others. */
import { type } from 'arktype'
import { batched, event, fn, resource } from '../../../src/entry/index.ts'

const Notice = type({ id: 'string', userId: 'string', channel: "'email' | 'sms' | 'push'", text: 'string', urgent: 'boolean' })
export const NotificationAsked = event('NotificationAsked', Notice, { key: (notice) => notice.userId })
export const NotificationSent = event('NotificationSent', type({ id: 'string', channel: 'string', receipt: 'string' }))

/** Nobody publishes it any more; the kept ones are read as what they became. */
export const ProfileChanged = event('ProfileChanged', type({ userId: 'string', name: 'string', 'phone?': 'string' }), {
  key: (profile) => profile.userId,
  becomes: (into) =>
    into([NameChanged, PhoneChanged], ({ userId, name, phone }) => [
      NameChanged({ userId, name, by: 'user' }),
      ...(phone === undefined ? [] : [PhoneChanged({ userId, phone })]),
    ]),
})
export const NameChanged = event('NameChanged', type({ userId: 'string', name: 'string', by: "'user' | 'staff'" }), {
  key: (p) => p.userId,
})
export const PhoneChanged = event('PhoneChanged', type({ userId: 'string', phone: 'string' }), { key: (p) => p.userId })

interface Carrier {
  send(to: string, text: string, key: string): Promise<string>
}
export const email = resource('email', { open: (): Carrier => ({ send: async (_to, _text, key) => key }) })
export const sms = resource('sms', { open: (): Carrier => ({ send: async (_to, _text, key) => key }) })
export const push = resource('push', {
  open: () => ({
    sendAll: async (items: readonly { to: string; text: string; key: string | undefined }[]) => items.map((item) => item.to),
  }),
})

export const sendEmail = fn('send-email', NotificationAsked, {
  where: { data: { channel: ['email'] } },
  emits: [NotificationSent],
  once: { by: (notice) => notice.id, within: '24h' },
  async run({ id, userId, text, channel }, ctx) {
    const receipt = await ctx.use(email).send(userId, text, ctx.idempotencyKey)
    return NotificationSent({ id, channel, receipt })
  },
})

export const sendSms = fn('send-sms', NotificationAsked, {
  where: { data: { channel: ['sms'], $or: [{ urgent: [true] }, { text: [{ prefix: '!' }] }] } },
  emits: [NotificationSent],
  breaker: { share: 0.3, of: 50, rest: '30s' },
  order: (notice) => notice.channel,
  from: 'start',
  was: 'send-text',
  retry: { attempts: 4, from: '1s', to: '5m' },
  run: async (notice, ctx) =>
    NotificationSent({ id: notice.id, channel: 'sms', receipt: await ctx.use(sms).send(notice.userId, notice.text, ctx.idempotencyKey) }),
})

export const sendPush = fn('send-push', batched(NotificationAsked, { size: 100, wait: '5s', by: (notice) => notice.userId }), {
  where: { data: { channel: ['push'] } },
  emits: [NotificationSent],
  once: { by: (notice) => notice.id, within: '24h' },
  async run(notices, ctx) {
    const receipts = await ctx
      .use(push)
      .sendAll(notices.map(({ userId, text }, i) => ({ to: userId, text, key: ctx.items[i]?.idempotencyKey })))
    for (const [i, { event, emit }] of ctx.items.entries())
      emit(NotificationSent({ id: event.data.id, channel: 'push', receipt: receipts[i] ?? event.id }))
  },
})

export const reindex = fn('reindex', [NameChanged, PhoneChanged], {
  run: ({ userId }, ctx) => ctx.log.info('indexing', { userId }),
})

export const refused = [
  // @ts-expect-error: no such channel
  () => fn('x', NotificationAsked, { where: { data: { channel: ['fax'] } }, run: () => {} }),
  // @ts-expect-error: not a field
  () => fn('x', NotificationAsked, { once: { by: (notice) => notice.user, within: '1h' }, run: () => {} }),
  // @ts-expect-error: once, but for how long?
  () => fn('x', NotificationAsked, { once: { by: (notice) => notice.id }, run: () => {} }),
  // @ts-expect-error: a number; never two of one key anyway
  () => fn('x', NotificationAsked, { concurrency: { total: 20, perKey: 1 }, run: () => {} }),
  // @ts-expect-error: not a field
  () => fn('x', NotificationAsked, { order: (notice) => notice.user, run: () => {} }),
  // @ts-expect-error: 'key', 'none' or a function
  () => fn('x', NotificationAsked, { order: 'userId', run: () => {} }),
  // @ts-expect-error: of how many?
  () => fn('x', NotificationAsked, { breaker: { share: 0.5, rest: '30s' }, run: () => {} }),
  // @ts-expect-error: not an instant
  () => fn('x', NotificationAsked, { from: 'yesterday', run: () => {} }),
  () => fn('x', NotificationAsked, { from: '2026-01-01T00:00:00Z', breaker: false, run: () => {} }),
  () =>
    event('X', type({ userId: 'string' }), {
      // @ts-expect-error: PhoneChanged is not in the list
      becomes: (into) => into([NameChanged], ({ userId }) => [PhoneChanged({ userId, phone: '' })]),
    }),
  () =>
    event('X', type({ userId: 'string' }), {
      // @ts-expect-error: the old one had no such field
      becomes: (into) => into([PhoneChanged], ({ userId, phone }) => [PhoneChanged({ userId, phone })]),
    }),
  () =>
    event('X', type({ userId: 'string' }), {
      // @ts-expect-error: nobody may be that
      becomes: (into) => into([NameChanged], ({ userId }) => [NameChanged({ userId, name: '', by: 'me' })]),
    }),
  () =>
    fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), {
      emits: [NotificationSent],
      // @ts-expect-error: what it did has no one cause: ctx.items[i].emit(…)
      run: () => NotificationSent({ id: '', channel: '', receipt: '' }),
    }),
  // @ts-expect-error: nor has the batch an event
  () => fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), { run: (_, ctx) => ctx.log.info(ctx.event.id) }),
  // @ts-expect-error: nor a key
  () => fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), { run: (_, ctx) => ctx.log.info(ctx.idempotencyKey) }),
  // @ts-expect-error: nor does it emit as a whole
  () => fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), { emits: [NotificationSent], run: (_, ctx) => ctx.emit() }),
  // @ts-expect-error: a batch is of so many
  () => batched(NotificationAsked, { wait: '1s' }),
  // @ts-expect-error: groups are by a field
  () => batched(NotificationAsked, { size: 1, wait: '1s', by: (notice) => notice.user }),
  // @ts-expect-error: no batch of batches
  () => batched(batched(NotificationAsked, { size: 1, wait: '1s' }), { size: 1, wait: '1s' }),
  () =>
    fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), {
      emits: [NotificationSent],
      // @ts-expect-error: an item emits what is declared
      run: (_, ctx) => ctx.items[0]?.emit(NameChanged({ userId: '', name: '', by: 'user' })),
    }),
  () =>
    // @ts-expect-error: once is by the item, which is no array
    fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), { once: { by: (notices) => notices[0].id, within: '1h' }, run: () => {} }),
  // @ts-expect-error: where is of the item
  () => fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), { where: { data: { channel: ['fax'] } }, run: () => {} }),
  // @ts-expect-error: a batch is an array
  () => fn('x', batched(NotificationAsked, { size: 1, wait: '1s' }), { run: (notice) => void notice.userId }),
]
