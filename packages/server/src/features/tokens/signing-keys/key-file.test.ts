import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import { readOrCreateSealingSecret } from './key-file.ts'
import { findSealingSecretFaults } from './sealing-secret-faults.ts'

const good = '0f1e2d3c4b5a69788796a5b4c3d2e1f0'

describe('readOrCreateSealingSecret', () => {
  let folder: string
  const open = (): string => readOrCreateSealingSecret(join(folder, 'keystile.db'))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-secret-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('readOrCreateSealingSecret creates keystile.key once, readable only by its owner', () => {
    const secret = open()
    assert.deepEqual(findSealingSecretFaults(secret), [])
    assert.equal(open(), secret)
    assert.deepEqual(readdirSync(folder), ['keystile.key'])
    assert.equal(statSync(join(folder, 'keystile.key')).mode & 0o777, 0o600)
    assert.equal(readFileSync(join(folder, 'keystile.key'), 'utf8'), `${secret}\n`)
  })

  it('readOrCreateSealingSecret refuses a short secret, or a file other users can read', () => {
    const file = join(folder, 'keystile.key')
    writeFileSync(file, good)
    for (const mode of [0o640, 0o604]) {
      chmodSync(file, mode)
      assert.throws(
        open,
        (error) => error instanceof ConfigurationError && /chmod 600/.test(error.message),
      )
    }
    chmodSync(file, 0o600)
    assert.equal(open(), good)
    writeFileSync(file, 'short')
    assert.throws(
      open,
      (error) => error instanceof ConfigurationError && /at least 32/.test(error.message),
    )
  })

  it('readOrCreateSealingSecret refuses a link to a file that is missing, and a folder', () => {
    const file = join(folder, 'keystile.key')
    symlinkSync(join(folder, 'gone'), file)
    assert.throws(
      open,
      (error) =>
        error instanceof ConfigurationError && /link .* must exist.*Fix/.test(error.message),
    )
    rmSync(file)
    mkdirSync(file, { mode: 0o700 })
    assert.throws(
      open,
      (error) => error instanceof ConfigurationError && /must be a file.*Fix/.test(error.message),
    )
  })

  const skip = process.getuid?.() !== 0 && 'only root can give a file to another user'
  it('readOrCreateSealingSecret refuses a file of another user, also as root', { skip }, () => {
    const file = join(folder, 'keystile.key')
    writeFileSync(file, good, { mode: 0o600 })
    chownSync(file, 12345, 12345)
    assert.throws(
      open,
      (error) => error instanceof ConfigurationError && /chown USER/.test(error.message),
    )
    chownSync(file, 0, 0)
    assert.equal(open(), good)
  })

  it('readOrCreateSealingSecret names the file and the reason if it cannot create the file', () => {
    assert.throws(() => readOrCreateSealingSecret(join(folder, 'none', 'keystile.db')), {
      name: 'ConfigurationError',
      message:
        /^the key file .*keystile\.key cannot be made beside the database: ENOENT: .*\. Fix: /,
    })
  })
})
