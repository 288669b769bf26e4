import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createFairQueue, type FairQueue } from './fair-queue.ts'

const drain = <Item>(queue: FairQueue<Item>): readonly Item[] => {
  const taken: Item[] = []
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
  return taken
}

describe('createFairQueue', () => {
  it('the fair queue takes one item from each sender in turn', () => {
    const queue = createFairQueue<string>(100)
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'])
      assert.equal(queue.add(item[0], item), undefined)
    assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
    assert.equal(queue.size, 0)
  })

  it('in the fair queue, a new sender waits for only one item of each other sender', () => {
    const queue = createFairQueue<string>(100)
    for (const item of ['a1', 'a2', 'b1']) queue.add(item[0], item)
    assert.equal(queue.take(), 'a1')
    queue.add('c', 'c1')
    assert.deepEqual(drain(queue), ['b1', 'a2', 'c1'])
  })

  it('a full fair queue evicts an item of the sender with the most items', () => {
    const queue = createFairQueue<string>(4)
    for (const item of ['a1', 'a2', 'a3', 'b1']) queue.add(item[0], item)
    assert.equal(queue.add('a', 'a4'), 'a4')
    assert.equal(queue.add('c', 'c1'), 'a3')
    assert.equal(queue.add('b', 'b2'), 'b2')
    assert.equal(queue.add('d', 'd1'), 'a2')
    assert.equal(queue.add('e', 'e1'), 'e1')
    assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'd1'])
    for (const item of ['a1', 'b1', 'a2', 'b2']) queue.add(item[0], item)
    assert.equal(queue.add('c', 'c1'), 'a2', 'of two equal senders, the next one to serve')
  })

  const senders = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), sender: senders }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constantFrom('take' as const, 'takeOldest' as const) }),
      },
    ),
    { maxLength: 80 },
  )

  /** Returns a queue after random steps, and its waiting items as a plain list. */
  function after(
    history: typeof steps extends fc.Arbitrary<infer Steps> ? Steps : never,
    places: number,
  ) {
    type Item = { readonly sender: string; readonly n: number }
    const queue = createFairQueue<Item>(places)
    let waiting: Item[] = []
    history.forEach((step, n) => {
      if (step.do === 'add') {
        const item = { sender: step.sender, n }
        waiting.push(item)
        const evicted = queue.add(step.sender, item)
        assert.equal(
          evicted !== undefined,
          waiting.length > places,
          'an item is evicted exactly when the queue is full',
        )
        waiting = waiting.filter((other) => other !== evicted)
      } else {
        const oldest = waiting[0]
        assert.equal(queue.oldest, oldest)
        const taken = queue[step.do]()
        if (step.do === 'takeOldest') assert.equal(taken, oldest)
        assert.equal(taken === undefined, waiting.length === 0)
        waiting = waiting.filter((other) => other !== taken)
      }
      assert.equal(queue.size, waiting.length)
    })
    return { queue, waiting }
  }

  it('the fair queue returns each item once, and each sender’s items in order', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (history, places) => {
        const { queue, waiting } = after(history, places)
        const taken = drain(queue)
        assert.deepEqual(
          taken.toSorted((a, b) => a.n - b.n),
          waiting,
        )
        for (const sender of 'abcde') {
          const line = taken.filter((item) => item.sender === sender)
          assert.deepEqual(
            line,
            line.toSorted((a, b) => a.n - b.n),
          )
        }
      }),
    )
  })

  it('the fair queue takes one item of each waiting sender before a sender’s second item', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const taken = drain(after(history, 100).queue).map(({ sender }) => sender)
        taken.forEach((sender, at) => {
          const next = taken.indexOf(sender, at + 1)
          if (next < 0) return
          const between = taken.slice(at + 1, next)
          assert.equal(new Set(between).size, between.length, 'no sender twice')
          for (const other of new Set(taken.slice(next)))
            assert.ok(other === sender || between.includes(other), other)
        })
      }),
    )
  })

  it('queue.ahead() returns how many items are taken before a new item', () => {
    fc.assert(
      fc.property(steps, senders, (history, sender) => {
        const { queue } = after(history, 100)
        const ahead = queue.ahead(sender)
        const item = { sender, n: Infinity }
        queue.add(sender, item)
        assert.equal(drain(queue).indexOf(item), ahead)
      }),
    )
  })
})
