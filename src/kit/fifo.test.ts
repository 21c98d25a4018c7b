import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fifo } from './fifo.ts'

test('given any pushes and shifts, when asked, then it is what an array would be', () => {
  const step = fc.oneof(fc.integer(), fc.constant('shift' as const))
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 9 }), fc.array(step, { maxLength: 60 }), (items, steps) => {
      const fifo = new Fifo(items)
      const array = [...items]
      for (const one of steps) {
        if (one === 'shift') assert.equal(fifo.shift(), array.shift())
        else {
          fifo.push(one)
          array.push(one)
        }
        assert.deepEqual([...fifo], array)
        assert.deepEqual([fifo.length, fifo.first], [array.length, array[0]])
      }
    }),
  )
})
