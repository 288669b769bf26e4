import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'

describe('npm run types', () => {
  it('npm run types finds the type cost of guards within its budget in every framework', () => {
    const { status, stdout, stderr } = run()
    assert.equal(status, 0, stdout + stderr)
    for (const framework of ['hono', 'fastify', 'express', 'node', 'web']) {
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
