import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { it, type TestContext } from 'node:test'

/** Runs test files with these sources, and returns what the runner prints. */
async function run(
  t: TestContext,
  minutes: number,
  sources: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly printed: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-end-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, source] of Object.entries(sources))
    writeFileSync(join(folder, `${name}.test.ts`), source)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(
    process.execPath,
    [`--import=${import.meta.resolve('./end-test-file.mjs')}`, '--test', '*.test.ts'],
    { cwd: folder, env: { ...env, KEYSTILE_TEST_FILE_MINUTES: String(minutes) } },
  )
  t.after(() => child.kill('SIGKILL'))
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code, printed }
}

it('npm test ends a test file whose failed test left a server open, and runs the others', async (t) => {
  const { code, printed } = await run(t, 0.5, {
    hanging: `import { createServer } from 'node:net'
import { it } from 'node:test'
it('leaves a server open', async () => {
  createServer().listen(0)
  throw new Error('planted')
})`,
    passing: `import { it } from 'node:test'
it('passes', () => {})`,
  })
  assert.equal(code, 1, printed)
  assert.match(printed, /Error: planted/)
  assert.match(
    printed,
    /hanging\.test\.ts: the process must end by itself\. .* after its last test, .*TCPServerWrap/,
  )
  assert.match(printed, /✔ passes|^ok .* passes/m)
})

it('npm test ends a test file whose tests do not end', async (t) => {
  const { code, printed } = await run(t, 0.01, {
    hanging: `import { it } from 'node:test'
it('does not end', () => new Promise(() => {}))`,
  })
  assert.equal(code, 1, printed)
  assert.match(printed, /hanging\.test\.ts: the process must end by itself\. .* after its start/)
})
