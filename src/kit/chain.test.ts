import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Chain, type Chained } from './chain.ts'

class Link implements Chained<Link> {
  before: Link | undefined
  after: Link | undefined
  chained = false
  readonly number: number

  constructor(number: number) {
    this.number = number
  }
}

const moves = fc.array(fc.record({ in: fc.boolean(), link: fc.nat(9) }), { maxLength: 60 })

test('given members that come and go, when it is walked, then those that are in come in the order in which they came', () => {
  fc.assert(
    fc.property(moves, (steps) => {
      const links = Array.from({ length: 10 }, (_, number) => new Link(number))
      const chain = new Chain<Link>()
      let expected: Link[] = []
      for (const { in: enters, link: number } of steps) {
        const link = links[number] ?? new Link(number)
        if (enters) chain.add(link)
        else chain.remove(link)
        if (!enters) expected = expected.filter((one) => one !== link)
        else if (!expected.includes(link)) expected.push(link)
        assert.deepEqual(
          [...chain].map((one) => one.number),
          expected.map((one) => one.number),
        )
        assert.equal(chain.size, expected.length)
        assert.equal(chain.first, expected[0])
      }
    }),
  )
})

test('given a walk, when the member at hand is removed, then the walk goes on with the next', () => {
  const links = [1, 2, 3].map((number) => new Link(number))
  const chain = new Chain<Link>()
  for (const link of links) chain.add(link)
  const seen: number[] = []
  for (const link of chain) {
    seen.push(link.number)
    chain.remove(link)
  }
  assert.deepEqual(seen, [1, 2, 3])
  assert.equal(chain.size, 0)
})

test('given a member that is removed, when one looks at it, then it knows none of the others any more', () => {
  const [one, two] = [new Link(1), new Link(2)]
  const chain = new Chain<Link>()
  chain.add(one)
  chain.add(two)
  chain.remove(one)
  assert.deepEqual([one.before, one.after, two.before, two.after], [undefined, undefined, undefined, undefined])
})
