import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Gate } from './gate.ts'

test('given many inside, when one wants to be alone, then nobody else comes in, and it runs once the last has left', () => {
  const gate = new Gate()
  const woken: string[] = []
  const alone: string[] = []
  assert.ok(gate.enter(() => {}))
  assert.ok(gate.enter(() => {}))
  gate.enterAlone(() => alone.push('suspect'))
  assert.equal(
    gate.enter(() => woken.push('other')),
    false,
  )
  gate.leave()
  assert.deepEqual(alone, [])
  gate.leave()
  assert.deepEqual(alone, ['suspect'])
  assert.equal(
    gate.enter(() => woken.push('other')),
    false,
  )
  assert.deepEqual(woken, [])
  gate.leave()
  assert.deepEqual(woken, ['other', 'other'])
  assert.ok(gate.enter(() => {}))
})

test('given any coming and going, when one is alone, then nobody is beside it, and whoever waits is woken', () => {
  const step = fc.constantFrom('enter', 'alone', 'leave')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const gate = new Gate()
      let many = 0
      let alone = 0
      let waiting = 0
      let asleep = 0
      const wake = (): void => void (asleep -= 1)
      const check = (): void => {
        assert.ok(alone <= 1 && (alone === 0 || many === 0), `${many} beside ${alone}`)
        assert.ok(waiting === 0 || alone + many > 0, 'somebody waits, and nobody is inside')
        assert.ok(asleep === 0 || alone + many > 0, 'somebody sleeps, and nobody is inside')
      }
      for (const one of steps) {
        if (one === 'enter') {
          if (gate.enter(wake)) many += 1
          else asleep += asleep === 0 ? 1 : 0
        } else if (one === 'alone') {
          waiting += 1
          gate.enterAlone(() => {
            waiting -= 1
            alone += 1
            check()
          })
        } else if (many + alone > 0) {
          if (alone > 0) alone -= 1
          else many -= 1
          gate.leave()
        }
        check()
      }
    }),
  )
})
