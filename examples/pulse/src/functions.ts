/** What is done about deliveries. Each function says by `where` which ones it wants; some answer with events, some tell people. */
import { batched, fn } from 'millrace'
import { AlarmRaised, BuildAsked, GithubDelivered, WorkArrived } from './events.ts'
import { notices } from './notices.ts'

/** Somebody has opened an issue or a pull request. What machines open is no news. */
export const noticeWork = fn('notice-work', GithubDelivered, {
  where: { data: { kind: ['issues', 'pull_request'], action: ['opened', 'reopened'], senderKind: ['User'] } },
  emits: [WorkArrived],
  run: ({ place, item }) => (item === undefined ? undefined : WorkArrived({ place, number: item.number, title: item.title })),
})

/** Branches are built, tags are not. */
export const askBuild = fn('ask-build', GithubDelivered, {
  where: { data: { kind: ['push'], ref: [{ prefix: 'refs/heads/' }] } },
  emits: [BuildAsked],
  run: ({ place, ref = '' }) => BuildAsked({ place, ref }),
})

/** Something failed, or something dangerous was found. */
export const raiseAlarm = fn('raise-alarm', GithubDelivered, {
  where: { data: { $or: [{ outcome: ['failure', 'timed_out', 'action_required'] }, { kind: [{ suffix: '_alert' }] }] } },
  emits: [AlarmRaised],
  run: ({ place, kind, action, outcome = action }) => AlarmRaised({ place, kind, because: outcome }),
})

/** The second hop: an event that a function has emitted is an event like any other. */
export const callSomebody = fn('call-somebody', AlarmRaised, {
  run: ({ place, kind, because }, ctx) => ctx.use(notices).send(ctx.idempotencyKey, 'call-somebody', `${place}: ${kind}, ${because}`),
})

export const thankFans = fn('thank-fans', GithubDelivered, {
  where: { data: { kind: ['star', 'watch', 'fork', 'sponsorship'], action: [{ 'anything-but': ['deleted', 'cancelled'] }] } },
  run: ({ sender, place, kind }, ctx) =>
    ctx.use(notices).send(ctx.idempotencyKey, 'thank-fans', `${sender}, thank you: ${kind} of ${place}`),
})

export const watchMachines = fn('watch-machines', GithubDelivered, {
  where: { data: { senderKind: [{ 'anything-but': 'User' }] } },
  run: ({ sender, kind, place }, ctx) => ctx.use(notices).send(ctx.idempotencyKey, 'watch-machines', `${sender}: ${kind} at ${place}`),
})

/** Talk is told in one go. In a batch whatever concerns an event is on its item. */
export const followTalk = fn('follow-talk', batched(GithubDelivered, { size: 20, wait: '50ms' }), {
  where: { data: { kind: [{ prefix: 'discussion' }, { suffix: '_comment' }] } },
  run(_, ctx) {
    for (const { event, idempotencyKey } of ctx.items) {
      const { sender, place, kind } = event.data
      ctx.use(notices).send(idempotencyKey, 'follow-talk', `${sender} said something at ${place}: ${kind}`)
    }
  },
})
