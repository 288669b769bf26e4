import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ConfigurationError } from '../../base/configuration-error.ts'
import { findSealingSecretFault, readOrCreateSealingSecret } from './sealing-secret.ts'

const good = '0f1e2d3c4b5a69788796a5b4c3d2e1f0'

describe('findSealingSecretFault', () => {
  it('demands 32 characters, 16 of them different', () => {
    assert.equal(findSealingSecretFault(good), undefined)
    assert.match(findSealingSecretFault(good.slice(1))!, /at least 32/)
    assert.match(findSealingSecretFault('0123456789abcde'.repeat(3))!, /random/)
  })
})

describe('readOrCreateSealingSecret', () => {
  let folder: string
  const open = (): string => readOrCreateSealingSecret(join(folder, 'keystile.db'))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-secret-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('makes a secret that is its owner’s alone, once, and leaves nothing else behind', () => {
    const secret = open()
    assert.equal(findSealingSecretFault(secret), undefined)
    assert.equal(open(), secret)
    assert.deepEqual(readdirSync(folder), ['keystile.key'])
    assert.equal(statSync(join(folder, 'keystile.key')).mode & 0o777, 0o600)
    assert.equal(readFileSync(join(folder, 'keystile.key'), 'utf8'), `${secret}\n`)
  })

  it('refuses a secret that others can read, and one that is none', () => {
    const file = join(folder, 'keystile.key')
    writeFileSync(file, good)
    for (const mode of [0o640, 0o604]) {
      chmodSync(file, mode)
      assert.throws(open, (error) => error instanceof ConfigurationError && /chmod 600/.test(error.message))
    }
    chmodSync(file, 0o600)
    assert.equal(open(), good)
    writeFileSync(file, 'short')
    assert.throws(open, (error) => error instanceof ConfigurationError && /at least 32/.test(error.message))
  })

  it('throws what the folder says where no file can be made', () => {
    assert.throws(() => readOrCreateSealingSecret(join(folder, 'none', 'keystile.db')), {
      code: 'ENOENT',
      syscall: 'open',
    })
  })
})
