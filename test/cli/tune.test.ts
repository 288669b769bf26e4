import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { runCommand } from '../../packages/server/test-support/command.ts'

describe('keystile tune', () => {
  const cwd = tmpdir()

  it('prints a setting that is taken as it is, and what a hash takes then', async () => {
    const { code, stdout, stderr } = await runCommand(['tune', '--milliseconds', '50'], { cwd })
    assert.deepEqual([code, stderr], [0, ''])
    const [, value] = /^KEYSTILE_PASSWORD_HASHING=(m=\d+,t=\d+)\n/.exec(stdout)!
    assert.match(stdout, /\n# \d+ ms a hash; \d+ MiB when all \d+ threads hash at once\n/)
    const checked = await runCommand(['config', 'check'], {
      cwd,
      env: { KEYSTILE_PASSWORD_HASHING: value! },
    })
    assert.match(checked.stdout, /^the settings are fine/)
  })

  it('prints JSON for a script', async () => {
    const { stdout } = await runCommand(['tune', '--json', '--milliseconds', '10'], { cwd })
    const { passwordHashing, milliseconds } = JSON.parse(stdout)
    assert.ok(passwordHashing.memoryKiB >= 19_456 && passwordHashing.passes >= 2, stdout)
    assert.ok(Number.isInteger(milliseconds))
  })

  it('refuses a time that is none, and one that is no time for a login', async () => {
    for (const time of ['0', '9', '5001', '1e3', 'x', '-5']) {
      const { code, stderr } = await runCommand(['tune', `--milliseconds=${time}`], { cwd })
      assert.equal(code, 1)
      assert.equal(stderr, 'keystile: --milliseconds is a whole number from 10 to 5000\n')
    }
  })
})
