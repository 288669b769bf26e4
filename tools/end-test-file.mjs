// `npm test` loads this into the process of each test file. It ends a process that would not end by
// itself: node's own --test-timeout fails the test, but then waits for the process of the file.
import { isMainThread } from 'node:worker_threads'

const minutes = Number(process.env.KEYSTILE_TEST_FILE_MINUTES)
const [, file = ''] = process.argv
// A process or a thread that the test file starts loads this too.
if (isMainThread && process.env.NODE_TEST_CONTEXT && file.endsWith('.test.ts') && minutes > 0) {
  const { setTimeout } = globalThis // a test may set the time
  const endAfter = (minutes, event) =>
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(', ')
      console.error(
        `${file}: the process must end by itself. ${minutes} minutes after ${event}, it still has ` +
          `${open}. Fix: close what a test opens with t.after() or after(), which also run if the ` +
          'test fails.',
      )
      process.exit(1)
    }, minutes * 60_000).unref()
  endAfter(minutes, 'its start')
  const { after } = await import('node:test')
  after(() => void endAfter(minutes / 10, 'its last test'))
}
