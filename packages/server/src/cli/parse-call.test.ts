import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CliCommand } from '../feature/cli-command.ts'
import { wholeHelp } from './help.ts'
import { parseCall } from './parse-call.ts'
import { usageOf } from './usage.ts'

const command: CliCommand<never> = {
  words: ['key', 'revoke'],
  operand: 'ID',
  flags: { json: {}, reason: { value: 'TEXT' }, tag: { value: 'TAG', isList: true } },
  takesSettings: false,
  summary: '',
  load: () => Promise.reject(new Error('the test does not run it')),
}
const { operand: _operand, flags: _flags, ...bare } = command

describe('usageOf', () => {
  it('usageOf shows the words of a command, its operand, and its flags in brackets', () => {
    assert.equal(usageOf(command), 'key revoke ID [--json] [--reason TEXT] [--tag TAG]')
    assert.equal(usageOf({ ...bare, words: ['serve'] }), 'serve')
  })
})

describe('parseCall', () => {
  const id = '-mK3_9dQx7Rr0vV2bZc-sT8u'

  it('parseCall accepts an id that begins with a hyphen, before or after flags', () => {
    for (const args of [[id], [id, '--json'], ['--json', id], ['--json', '--', id]]) {
      const { operand, flags } = parseCall(command, args)
      assert.deepEqual([operand, flags.has('json')], [id, args.includes('--json')])
    }
  })

  it('parseCall reads `-…` as an id only if 19 or more id characters follow', () => {
    const shortest = '-mK3_9dQx7Rr0vV2bZc-'
    assert.equal(parseCall(command, [shortest]).operand, shortest)
    for (const other of ['-m', shortest.slice(0, -1), `${id}!`])
      assert.throws(() => parseCall(command, [other]), /there is no flag -m/)
    assert.throws(() => parseCall(command, [`-${id}`]), /there is no flag --mK3_9/)
    const { operand, flags } = parseCall(command, ['--reason', `a${id}`, 'b'])
    assert.deepEqual([operand, flags.value('reason')], ['b', `a${id}`])
  })

  it('parseCall accepts a value that begins with a hyphen, but not a flag as a value', () => {
    for (const value of ['-a1b', id, `-${id}`, '-']) {
      const { operand, flags } = parseCall(command, ['--reason', value, '--tag', id, id, '--json'])
      assert.deepEqual([operand, flags.value('reason')], [id, value])
      assert.deepEqual([flags.list('tag'), flags.has('json')], [[id], true])
      assert.equal(parseCall(command, ['x', `--reason=${value}`]).flags.value('reason'), value)
    }
    for (const next of [['--json'], ['--tag=b'], ['--', 'x'], []])
      assert.throws(() => parseCall(command, ['x', '--reason', ...next]), {
        name: 'ConfigurationError',
        message: '--reason must be followed by its value',
      })
  })

  it('parseCall returns the values of flags, and a list for a flag that may be repeated', () => {
    const args = ['--reason', 'lost', '--tag', 'a', 'x', '--tag=b']
    const { operand, flags, values } = parseCall(command, args)
    assert.deepEqual([operand, flags.value('reason'), flags.list('tag')], ['x', 'lost', ['a', 'b']])
    assert.deepEqual([flags.has('json'), flags.has('reason')], [false, false])
    assert.deepEqual({ ...values }, { reason: 'lost', tag: ['a', 'b'] })
    const none = parseCall(bare, [])
    assert.deepEqual(
      [none.operand, none.flags.value('reason'), none.flags.list('tag')],
      ['', undefined, []],
    )
  })

  it('parseCall refuses a wrong number of operands, and a flag with a wrong value', () => {
    const usage = { name: 'ConfigurationError', message: /^the command must be: keystile key revo/ }
    assert.throws(() => parseCall(command, []), usage)
    assert.throws(() => parseCall(command, ['a', 'b']), usage)
    assert.throws(() => parseCall(bare, ['a']), usage)
    assert.throws(() => parseCall(command, ['a', '--reason']), {
      name: 'ConfigurationError',
      message: '--reason must be followed by its value',
    })
    assert.throws(() => parseCall(command, ['a', '--json=b']), {
      name: 'ConfigurationError',
      message: "Option '--json' does not take an argument",
    })
  })

  it('parseCall accepts the flags of settings only if the command takes settings', () => {
    const args = ['--issuer', 'https://auth.example', '--config', 'a.json']
    for (const takesSettings of [true, 'withoutKey'] as const) {
      const { values } = parseCall({ ...bare, takesSettings }, args)
      assert.deepEqual({ ...values }, { issuer: 'https://auth.example', config: 'a.json' })
    }
    assert.throws(() => parseCall(command, args), {
      name: 'ConfigurationError',
      message: 'there is no flag --issuer. Fix: the flags are --json, --reason, --tag',
    })
    const settings = { ...bare, takesSettings: true }
    assert.throws(() => parseCall(settings, ['--unlike-all']), /\. Fix: see keystile help$/)
  })
})

describe('wholeHelp', () => {
  it('the help puts a summary below its command if the command is too long', () => {
    const named = (word: string): CliCommand<never> => ({
      ...bare,
      words: [word],
      flags: {},
      summary: 'does it',
    })
    const bold = (text: string): string => `*${text}*`
    const lines = wholeHelp([named('a'.repeat(29)), named('b'.repeat(30))], { bold }).split('\n')
    assert.deepEqual(lines.slice(0, 9), [
      'Keystile: accounts, sessions and keys behind POST /token',
      '',
      '*Commands*',
      `  ${'a'.repeat(29)}   does it`,
      `  ${'b'.repeat(30)}`,
      `${' '.repeat(34)}does it`,
      '',
      '*Settings*',
      '  Flags win over the environment, and the environment wins over the configuration file.',
    ])
    const port = lines.find((line) => line.includes('--port'))
    assert.equal(port, '  --port, KEYSTILE_PORT, PORT     the port to listen on; default: 8000')
    assert.ok(lines.some((line) => line.startsWith('  KEYSTILE_KEY[_FILE]  ')))
    assert.deepEqual([lines[10], lines[11]?.slice(0, 10)], ['', '  --issuer'])
  })
})
