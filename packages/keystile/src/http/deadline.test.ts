import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withDeadline } from './deadline.ts'

const never = (): Promise<never> => new Promise(() => {})

describe('withDeadline', () => {
  it('withDeadline rejects at the timeout even if the work ignores the abort signal', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { promise } = withDeadline(never, 5)
    t.mock.timers.tick(5_000)
    await assert.rejects(promise, { message: 'no answer within 5 s' })
  })

  it('withDeadline aborts nothing if the work ended before the timeout', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let signal: AbortSignal | undefined
    const work = async (given: AbortSignal): Promise<string> => {
      signal = given
      return 'done'
    }

    assert.equal(await withDeadline(work, 5).promise, 'done')
    t.mock.timers.tick(5_000)
    assert.equal(signal?.aborted, false)
  })

  it('withDeadline does not keep the process running', async () => {
    const timeouts = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timeouts()
    const { promise, abort } = withDeadline(never, 60)
    assert.equal(timeouts(), before)

    abort(new Error('the app stops'))
    await assert.rejects(promise, { message: 'the app stops' })
  })
})
