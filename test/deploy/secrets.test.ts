// Tests that a clone of this repository neither commits nor accepts secrets.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createKeystile } from '@keystile/server'

const root = join(import.meta.dirname, '../..')
const git = (...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

describe('secrets', { skip: existsSync(join(root, '.git')) ? false : 'not a git clone' }, () => {
  it('git ignores the files with secrets that the guides and a first start create', () => {
    const files = ['deploy/.env', '.env', 'keystile.key', 'data/keystile.key']
    const ignored = git('check-ignore', '--no-index', ...files)
    assert.deepEqual(ignored.split('\n'), files)
  })

  it('createKeystile refuses each keystile.key that was ever committed', async () => {
    const commits = git('log', '--format=%H', '--diff-filter=AM', '--', '*keystile.key')
    for (const commit of commits.split('\n').filter(Boolean)) {
      const key = git('show', `${commit}:keystile.key`)
      const bytes = Buffer.from(key, 'base64url')
      for (const spelling of [key, bytes.toString('base64'), bytes.toString('hex')])
        await assert.rejects(
          createKeystile({ issuer: 'http://localhost/auth', database: ':memory:', key: spelling }),
          /key must be known to you only/,
        )
    }
  })
})
