import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { programOf } from './terminal.ts'

describe('programOf', () => {
  for (const [path, program] of [
    ['/home/ada/shop/node_modules/.bin/keystile', 'npx keystile'],
    ['/home/ada/shop/node_modules/keystile/dist/cli/main.js', 'npx keystile'],
    ['C:\\shop\\node_modules\\keystile\\dist\\cli\\main.js', 'npx keystile'],
    ['/usr/local/bin/keystile', 'keystile'],
    [
      '/app/node_modules/@keystile/server/bin/keystile.cjs',
      'node /app/node_modules/@keystile/server/bin/keystile.cjs',
    ],
    ['/home/ada/keystile/packages/server/src/cli/main.ts', 'npm run keystile --'],
    ['', 'npx keystile'],
  ] as const) {
    it(`programOf returns "${program}" for the path "${path}"`, () => {
      assert.equal(programOf(path), program)
    })
  }
})
