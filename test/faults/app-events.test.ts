// A process is killed (SIGKILL) after the app has handled an event, and before the process has
// stored this. Another process delivers the event again.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import type { DurableAppEvent } from '@keystile/server'
import {
  createTestClock,
  describeOnBoth,
  password,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'
import { startProcess } from './process.ts'

describeOnBoth('a process that is killed while it handles an event', (stage) => {
  it('if a process dies in onEvent, the event is delivered again with the same id', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-events-'))
    const file = join(folder, 'handled')
    await (await stage.start()).keystile.close()
    const process = await startProcess(stage.database, { diesAfterEvent: file })
    try {
      const user = { username: 'ada', email: 'ada@example.com', password }
      const [answer] = await process.ask([['POST', '/users', { json: user }]])
      assert.equal(answer?.status, 201)
      await process.ended
      const handled = readFileSync(file, 'utf8').trim()

      // The lease and the claim of the killed process are over.
      await stage.sql('update lease set expires_at = 0')
      const clock = createTestClock()
      clock.advance(90)
      const events: DurableAppEvent[] = []
      const handle = (event: DurableAppEvent): void => void events.push(event)
      await stage.start({ clock, onEvent: { durable: true, handle } })
      await until(async () => (await stage.sql('select id from app_event')).length === 0)
      assert.deepEqual(
        events.map(({ id, type }) => [id, type]),
        [[handled, 'registered']],
      )
    } finally {
      process.kill()
      await process.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
