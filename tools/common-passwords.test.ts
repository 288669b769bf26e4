import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { readCommonPasswords, writtenOut } from './common-passwords.ts'

const file = '../packages/server/blocklist/common-passwords.txt'

it('the blocklist is the list of zxcvbn-ts (if not, run tools/common-passwords.ts)', () => {
  assert.equal(
    readFileSync(new URL(file, import.meta.url), 'utf8'),
    writtenOut(readCommonPasswords()),
  )
})
