import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CliCommand } from '../feature/cli-command.ts'
import { parseCall } from './command.ts'

describe('parseCall', () => {
  const command: CliCommand<never> = {
    words: ['key', 'revoke'],
    operand: 'ID',
    flags: { json: {} },
    takesSettings: false,
    summary: '',
    load: () => Promise.reject(new Error('the test does not run it')),
  }

  it('parseCall accepts an id that begins with a hyphen, before or after flags', () => {
    const id = '-mK3_9dQx7Rr0vV2bZc-sT8u'
    for (const args of [[id], [id, '--json'], ['--json', id], ['--json', '--', id]]) {
      const { operand, flags } = parseCall(command, args)
      assert.deepEqual([operand, flags.has('json')], [id, args.includes('--json')])
    }
  })

  it('parseCall reads -m as an unknown flag, not as an id, and throws an error', () => {
    assert.throws(() => parseCall(command, ['-m']), /there is no flag -m/)
  })
})
