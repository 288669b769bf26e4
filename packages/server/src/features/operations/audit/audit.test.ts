import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Database } from '../../../storage/database.ts'
import { createAudit } from './audit.ts'
import { feature } from './feature.ts'

describe('createAudit', () => {
  it('while 200 audit lines wait to be written, a further line is refused with 503', async () => {
    const writing: (() => void)[] = []
    const write = (): Promise<void> => new Promise((resolve) => void writing.push(resolve))
    const audit = createAudit({ write } as unknown as Database, { now: () => 0 })
    const record = (): Promise<void> =>
      audit.record({ event: 'client_refused', by: { actor: 'nobody' } })
    const waiting = Array.from({ length: 200 }, record)
    await assert.rejects(record(), {
      code: 'temporarily_unavailable',
      status: 503,
      retryAfterSeconds: 1,
    })
    assert.equal(writing.length, 200)
    for (const done of writing.splice(0)) done()
    await Promise.all(waiting)
    const next = record()
    writing[0]!()
    await next
  })

  it('after a failed write, an audit line no longer counts as waiting', async () => {
    const away = createAudit(
      { write: () => Promise.reject(new Error('away')) } as unknown as Database,
      {
        now: () => 0,
      },
    )
    for (let number = 0; number < 201; number++)
      await assert.rejects(
        away.record({ event: 'client_refused', by: { actor: 'nobody' } }),
        /away/,
      )
  })
})

describe('the setting auditSeconds', () => {
  const [setting] = feature.settings ?? []

  it('auditSeconds may be a day to ten years, and is 90 days by default', () => {
    const isValid = (seconds: number): boolean =>
      setting?.schema.safeParse(seconds).success === true
    assert.deepEqual([86_399, 86_400, 315_360_000, 315_360_001].map(isValid), [
      false,
      true,
      true,
      false,
    ])
    assert.deepEqual([setting?.default, setting?.defaultText], [7_776_000, '7776000 (90 days)'])
    assert.deepEqual(setting?.environment, ['KEYSTILE_AUDIT_SECONDS'])
  })

  it('the audit record deletes entries that are older than auditSeconds', () => {
    const [step] = feature.cleanUp ?? []
    assert.equal(step?.before(100_000, { auditSeconds: 7 }), 93_000)
  })
})
