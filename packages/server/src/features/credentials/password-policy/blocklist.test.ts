import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createBlocklist } from './blocklist.ts'

const lines = readFileSync(new URL(import.meta.resolve('#common-passwords')), 'utf8').split('\n')

describe('createBlocklist', () => {
  const isCommon = createBlocklist()

  it('createBlocklist finds each of the 49,233 common passwords', () => {
    assert.equal(lines.pop(), '')
    assert.equal(lines.length, 49_233)
    assert.deepEqual(
      lines.filter((line) => !isCommon(line)),
      [],
    )
  })

  it('createBlocklist finds neither a part of a common password nor a longer text', () => {
    const known = new Set(lines)
    const others = lines.flatMap((line) => [
      line.slice(1),
      line.slice(0, -1),
      `${line}\0`,
      `\0${line}`,
      `${line}~~`,
    ])
    for (const other of [
      ...others,
      '',
      '\n',
      `${lines[0]}\n${lines[1]}`,
      '\0',
      '\u{10ffff}',
      'password\n',
      '\npassword',
    ])
      if (!known.has(other)) assert.equal(isCommon(other), false, JSON.stringify(other))
  })
})
