// The signatures of mails (DKIM), verified by another implementation: Debian's python3-dkim.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { startKeystile } from '../../packages/server/test-support/keystile.ts'
import { startMailServer } from '../../packages/server/test-support/mail-server.ts'

const python = '/usr/bin/python3'
const isMissing = spawnSync(python, ['-c', 'import dkim']).status !== 0
const skip = isMissing && !process.env['CI'] ? 'install python3-dkim' : false
if (skip) console.error(`\n*** The signatures of mails are not verified: ${skip}. ***\n`)

it('python3-dkim verifies a signed mail, and refuses a changed mail', { skip }, async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = await startMailServer()
  const { keystile, addUser } = await startKeystile({
    database: ':memory:',
    mailUrl: server.url,
    mailFrom: 'Grüße <no-reply@bücher.example>',
    mailDkimKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    mailDkimSelector: 'a.2026',
    mailLanguage: 'fr',
  })
  const folder = mkdtempSync(join(tmpdir(), 'keystile-dkim-'))
  try {
    await keystile.users?.disable(await addUser())
    const [mail] = await server.received(1)
    assert.ok(mail)
    const changes: readonly (readonly [string, string])[] = [
      ['no-reply@', 'other@'],
      ['Subject: ', 'Subject: x'],
      ['Content-Type: text/html', 'Content-Type: text/plain'],
    ]
    const mails = [mail.raw, ...changes.map(([from, to]) => mail.raw.replace(from, to))]
    assert.equal(new Set(mails).size, 4, 'each change changes the mail')
    const files = mails.map((text, index) => {
      const file = join(folder, String(index))
      writeFileSync(file, text)
      return file
    })
    const key = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
    const name = 'a.2026._domainkey.xn--bcher-kva.example'
    const script = join(import.meta.dirname, 'verify_dkim.py')
    const args = [script, key.toString('base64'), name, ...files]
    assert.deepEqual(execFileSync(python, args, { encoding: 'utf8' }).trim().split('\n'), [
      'True xn--bcher-kva.example',
      'False',
      'False',
      'False',
    ])
  } finally {
    await keystile.close()
    await server.close()
    rmSync(folder, { recursive: true })
  }
})
