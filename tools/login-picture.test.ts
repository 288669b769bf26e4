import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { drawLogin } from './login-picture.ts'

it('docs/pictures/login.svg shows the states and methods of a login that the code has', () => {
  const picture = readFileSync(join(import.meta.dirname, '../docs/pictures/login.svg'), 'utf8')
  assert.equal(picture, drawLogin(), 'run: node --conditions=source tools/login-picture.ts')
})
