import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { callCommand, runCommand } from '../../packages/server/test-support/command.ts'

describe('keystile tune', () => {
  const cwd = tmpdir()

  it('`keystile tune` prints a setting to copy, and the time and memory of a hash', async () => {
    const { code, stdout, stderr } = await runCommand(['tune', '--milliseconds', '50'], { cwd })
    assert.deepEqual([code, stderr], [0, ''])
    const [, value] = /^KEYSTILE_PASSWORD_HASHING=(m=\d+,t=\d+)\n/.exec(stdout)!
    assert.match(stdout, /\n# \d+ ms a hash; \d+ MiB when all \d+ threads hash at once\n/)
    const checked = await callCommand(['config', 'check'], {
      cwd,
      env: { KEYSTILE_PASSWORD_HASHING: value! },
    })
    assert.match(checked.stdout, /^the settings are fine/)
  })

  it('`keystile tune --json` prints JSON for a script', async () => {
    const { stdout } = await callCommand(['tune', '--json', '--milliseconds', '10'], { cwd })
    const { passwordHashing, milliseconds } = JSON.parse(stdout)
    assert.ok(passwordHashing.memoryKiB >= 19_456 && passwordHashing.passes >= 2, stdout)
    // Without a hash, the time would be 0 ms.
    assert.ok(Number.isInteger(milliseconds) && milliseconds > 0, stdout)
  })

  it('`keystile tune` refuses a time that is not a whole number from 10 to 5000 ms', async () => {
    for (const time of ['0', '9', '5001', '1e3', 'x', '-5']) {
      const { code, stderr } = await callCommand(['tune', `--milliseconds=${time}`], { cwd })
      assert.equal(code, 1)
      assert.equal(stderr, 'keystile: --milliseconds must be a whole number from 10 to 5000\n')
    }
  })
})
