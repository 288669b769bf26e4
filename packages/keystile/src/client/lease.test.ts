import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { withLease, type Lease, type Leases } from './lease.ts'

const leaseTime = 5_000

describe('withLease', () => {
  let held: Map<string, Lease>
  let leases: Leases
  /** How many times a lease was read or renewed. */
  let updates: number
  beforeEach(() => {
    held = new Map()
    updates = 0
    leases = {
      async update(name, change) {
        updates++
        const lease = change(held.get(name))
        held.set(name, lease)
        return lease
      },
    }
    mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'], now: 1_000_000 })
  })
  afterEach(() => mock.timers.reset())
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve()
  }
  const pass = async (milliseconds: number): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= 25) {
      mock.timers.tick(Math.min(left, 25))
      await settle()
    }
  }
  const nothing = (): number => 0
  /** Starts an action that ends when the test says so. */
  function hold(
    name = 'a',
    remaining = nothing,
  ): { began: boolean; end(): void; done: Promise<string> } {
    const ended = Promise.withResolvers<string>()
    const action = {
      began: false,
      end: () => ended.resolve('done'),
      done: withLease(
        leases,
        name,
        async () => {
          action.began = true
          return ended.promise
        },
        remaining,
      ),
    }
    return action
  }

  it('withLease runs only one action per name at a time', async () => {
    const [first, second, other] = [hold(), hold(), hold('b')]
    await pass(leaseTime - 1)
    assert.deepEqual([first.began, second.began, other.began], [true, false, true])
    first.end()
    assert.equal(await first.done, 'done')
    await pass(100)
    assert.equal(second.began, true)
  })

  it('withLease renews the lease only while the action runs', async () => {
    const [first, second] = [hold(), hold()]
    await settle()
    await pass(1_000)
    assert.equal(held.get('a')!.until, Date.now() + leaseTime)
    await pass(3 * leaseTime)
    assert.equal(second.began, false)
    first.end()
    await first.done
    await pass(100)
    second.end()
    await second.done
    const before = updates
    await pass(leaseTime)
    assert.equal(updates, before)
  })

  it('withLease takes over the lease of a crashed owner when the lease expires', async () => {
    held.set('a', { owner: 'dead', until: Date.now() + leaseTime })
    const next = hold()
    await pass(leaseTime - 100)
    assert.equal(next.began, false)
    await pass(200)
    assert.equal(next.began, true)
  })

  it('withLease ignores a lease with more than twice the usual lease time left', async () => {
    held.set('a', { owner: 'other', until: Date.now() + 2 * leaseTime + 1 })
    const next = hold()
    await settle()
    assert.equal(next.began, true)
  })

  it('withLease waits for the lease of a tab whose clock is one lease time ahead', async () => {
    held.set('a', { owner: 'other', until: Date.now() + 2 * leaseTime })
    const next = hold()
    await settle()
    assert.equal(next.began, false)
  })

  it('withLease waits if another tab takes the lease before withLease can take it', async () => {
    const { update } = leases
    const turn = Promise.withResolvers<void>()
    leases.update = async (name, change) => {
      await turn.promise
      return update(name, change)
    }
    const late = hold()
    leases.update = update
    mock.timers.tick(leaseTime + 1)
    const first = hold()
    await settle()
    turn.resolve()
    await settle()
    assert.deepEqual([first.began, late.began], [true, false])
  })

  it('withLease does not wait for a lease that has just expired', async () => {
    held.set('a', { owner: 'somebody', until: Date.now() })
    const next = hold()
    await settle()
    assert.equal(next.began, true)
  })

  for (const [random, milliseconds] of [
    [0, 25],
    [1, 75],
  ] as const) {
    it(`withLease waits a random time between tries: here ${milliseconds} ms`, async (t) => {
      t.mock.method(Math, 'random', () => random)
      held.set('a', { owner: 'somebody', until: Date.now() + leaseTime })
      const next = hold()
      await settle()
      for (const looks of [2, 3]) {
        mock.timers.tick(milliseconds - 1)
        await settle()
        assert.equal(updates, looks - 1)
        mock.timers.tick(1)
        await settle()
        assert.equal(updates, looks)
      }
      assert.equal(next.began, false)
    })
  }

  it('withLease returns when the action ends, but holds the lease for remaining() ms', async () => {
    const first = hold('a', () => 100)
    await settle()
    const second = hold()
    first.end()
    await first.done
    await pass(75)
    assert.equal(second.began, false)
    await pass(100)
    assert.equal(second.began, true)
  })

  it('withLease releases the lease when the action fails', async () => {
    await assert.rejects(
      withLease(leases, 'a', () => Promise.reject(new Error('no')), nothing),
      /^Error: no$/,
    )
    const next = hold()
    await settle()
    assert.equal(next.began, true)
  })

  it('after its lease expired, withLease does not remove the lease of the next owner', async () => {
    const slept = hold()
    await settle()
    const other = { owner: 'another', until: Date.now() + leaseTime }
    held.set('a', other)
    slept.end()
    await slept.done
    assert.equal(held.get('a'), other)
  })

  it('withLease returns the result even if its lease was removed during the action', async () => {
    const first = hold()
    await settle()
    held.clear()
    first.end()
    assert.equal(await first.done, 'done')
  })

  it('withLease continues the action if one renewal of the lease fails', async () => {
    const first = hold()
    await settle()
    const { update } = leases
    leases.update = () => Promise.reject(new Error('the database is gone'))
    await pass(leaseTime / 2)
    leases.update = update
    first.end()
    assert.equal(await first.done, 'done')
  })
})
