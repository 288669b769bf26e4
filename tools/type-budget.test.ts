import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
/** `npm test` measures only Hono: its guards have by far the most types. */
const frameworks = isLong ? ['hono', 'fastify', 'express', 'node', 'web'] : ['hono']

describe('npm run types', () => {
  it(`npm run types passes if guards keep to the type budget (${frameworks.join(', ')})`, () => {
    const { status, stdout, stderr } = run(...(isLong ? [] : frameworks))
    assert.equal(status, 0, stdout + stderr)
    for (const framework of frameworks) {
      assert.match(stdout, new RegExp(`^${framework} +[1-9]\\d* +[1-9]\\d* +\\d`, 'm'))
    }
  })

  it('npm run types fails if a budget is exceeded', () => {
    const { status, stdout } = run('node', '--budget', '1')
    assert.equal(status, 1)
    assert.match(stdout, /^node .* EXCEEDED$/m)
  })
})

function run(...args: readonly string[]): {
  status: number | null
  stdout: string
  stderr: string
} {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'type-budget.ts'), ...args], {
    encoding: 'utf8',
  })
}
