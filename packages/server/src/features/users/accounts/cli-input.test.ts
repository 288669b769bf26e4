import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as z from 'zod'
import { prepareCall } from '../../../../test-support/call.ts'
import { scopeRulesOf } from '../scopes/scopes.ts'
import { cliCommands } from './cli-commands.ts'
import { readNames, readPassword, readProfile, type InputOptions } from './cli-input.ts'

const command = cliCommands[0]!

describe('the input of keystile user', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-input-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Writes a file that only its owner may read, and returns its path. */
  function write(content: string | Buffer): string {
    const path = join(folder, 'file')
    writeFileSync(path, content)
    chmodSync(path, 0o600)
    return path
  }

  const options: InputOptions = {
    issuer: 'https://service.example',
    passwordMinLength: 15,
    scopes: {},
    roles: {},
    defaultScopes: [],
  }
  /** Returns the password that is read, and what the terminal shows. */
  async function readGiven(
    file: string | undefined,
    answer?: (question: string) => string,
  ): Promise<readonly [password: string, shown: string]> {
    const { call, printed } = prepareCall(command, ['ada'], answer)
    const parts = { owner: { username: 'ada' }, terminal: call.terminal, options }
    const password = await readPassword(file, parts)
    return [password, printed.stdout + printed.stderr]
  }

  it('readNames returns names that are declared, and refuses every other name', () => {
    const rules = scopeRulesOf({
      ...options,
      scopes: { 'items:read': 'Read items' },
      roles: { reader: ['items:read'] },
    })
    const given = ['ada', '--role', 'reader', '--role', 'admin', '--scope', 'items:read']
    const { flags } = prepareCall(command, given).call
    assert.deepEqual(readNames(flags, 'role', rules), ['reader', 'admin'])
    assert.deepEqual(readNames(flags, 'scope', rules), ['items:read'])

    const wrong = ['ada', '--role', 'reader', '--role', 'toString', '--scope', 'reader']
    const { flags: unknown } = prepareCall(command, wrong).call
    assert.throws(() => readNames(unknown, 'role', rules), {
      message:
        '--role must be a declared role; it is toString. The declared roles are reader, admin',
    })
    assert.throws(() => readNames(unknown, 'scope', rules), {
      message:
        '--scope must be a declared scope; it is reader. ' +
        'The declared scopes are items:read, users:read, users:write',
    })
  })

  it('readProfile checks the profile in a file, or an empty profile, with the schema', async () => {
    const schema = z.object({ city: z.string(), home: z.object({ floor: z.number() }).optional() })
    assert.deepEqual(await readProfile(write('{"city":"London"}'), schema), { city: 'London' })
    assert.deepEqual(await readProfile(undefined, z.object({ city: z.string().default('Bern') })), {
      city: 'Bern',
    })
    assert.deepEqual(await readProfile(undefined, undefined), {})

    const refused = (file: string | undefined, message: RegExp): Promise<void> =>
      assert.rejects(readProfile(file, schema), { name: 'ConfigurationError', message })
    const must = 'the profile must match its schema: '
    await refused(undefined, new RegExp(`^${must}city Invalid [^;]+. Fix: give --profile FILE$`))
    await refused(
      write('{"city":1,"home":{"floor":"x"}}'),
      new RegExp(`^${must}city Invalid [^;]+; home\\.floor Invalid [^;]+. Fix: give`),
    )
    await refused(write('{'), /^--profile cannot be read: ./)
    await refused(join(folder, 'absent'), /^--profile cannot be read: ENOENT/)
    await assert.rejects(readProfile(write('{"city":"London"}'), undefined), {
      message: `${must}Unknown members; none are expected. Fix: give --profile FILE`,
    })
  })

  it('readPassword removes one line end from a file, and nothing else', async () => {
    for (const [content, expected] of [
      ['four words of mine', 'four words of mine'],
      ['four words of mine\n', 'four words of mine'],
      ['four words of mine\r\n', 'four words of mine'],
      ['four words of mine\n\n', 'four words of mine\n'],
      ['four words\nof mine \n', 'four words\nof mine '],
      ['\ufefffour words of mine', '\ufefffour words of mine'],
    ] as const)
      assert.deepEqual(await readGiven(write(content)), [expected, ''])
  })

  it('readPassword refuses a file that it cannot read or that is not UTF-8', async () => {
    const latin = Buffer.from('passwörd passwörd', 'latin1')
    await assert.rejects(readGiven(write(latin)), { message: /^--password-file cannot be read: ./ })
    const message = /^--password-file cannot be read: ENOENT/
    await assert.rejects(readGiven(join(folder, 'absent')), { name: 'ConfigurationError', message })
  })

  it('readPassword warns of a file that other users can read, except on Windows', async (t) => {
    const path = write('four words of mine')
    chmodSync(path, 0o640)
    const warning =
      `warning: ${path} should be private; other users of this machine can read or write it. ` +
      `Fix: chmod 600 ${path}\n`
    const { platform } = process
    const pretend = (value: string): unknown =>
      Object.defineProperty(process, 'platform', { value })
    t.after(() => pretend(platform))
    for (const [system, shown] of [
      ['linux', warning],
      ['win32', ''],
    ] as const) {
      pretend(system)
      assert.deepEqual(await readGiven(path), ['four words of mine', shown])
    }
  })

  it('readPassword proposes no chmod for a folder that other users can read', async () => {
    chmodSync(folder, 0o755)
    const { call, printed } = prepareCall(command, ['ada'])
    const parts = { owner: {}, terminal: call.terminal, options }
    await assert.rejects(readPassword(folder, parts), { message: /EISDIR/ })
    assert.equal(printed.stderr, '')
  })

  it('readPassword asks for a password twice, and does not show it', async () => {
    const typed = 'four words of mine'
    const shown = 'Password: \nPassword again: \n'
    assert.deepEqual(await readGiven(undefined, () => typed), [typed, shown])
    await assert.rejects(
      readGiven(undefined, (question) => typed + question),
      { message: 'the two passwords must be the same; try again' },
    )
  })

  it('readPassword checks a password with the policy before it asks again', async () => {
    const questions: string[] = []
    const answer = (question: string): string => (questions.push(question), 'short')
    await assert.rejects(readGiven(undefined, answer), {
      message: 'Password should have at least 15 characters',
    })
    assert.deepEqual(questions, ['Password: '])
    await assert.rejects(readGiven(write('service is my life')), {
      message: /^Password should not contain the name of this service/,
    })
  })
})
