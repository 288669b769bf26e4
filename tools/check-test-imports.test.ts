import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { wrongTestImports } from './check-test-imports.ts'

const packages = ['packages/library', 'packages/server']

/** Plants files that import one path each, and returns what is wrong with them. */
function wrongIn(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'keystile-test-imports-'))
  try {
    for (const [file, imported] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(
        join(root, file),
        `// from '../../nowhere.ts'\nimport { one } from '${imported}'\n`,
      )
    }
    return wrongTestImports(root, packages)
  } finally {
    rmSync(root, { recursive: true })
  }
}

describe('wrongTestImports', () => {
  it('wrongTestImports allows a test of a package to import that package and tools/', () => {
    const files = {
      'packages/library/src/a/one.test.ts': './one.ts',
      'packages/library/src/a/two.test.ts': '../../test-support/two.ts',
      'packages/library/src/a/three.test.ts': 'library/testing',
      'packages/library/src/a/four.test.ts': '../../../../tools/rooms.ts',
      'packages/library/test-support/two.ts': '../src/a/one.ts',
    }
    assert.deepEqual(wrongIn(files), [])
  })

  it('wrongTestImports allows a test in test/ to import packages and test-support/', () => {
    const files = {
      'test/flows/one.test.ts': '../../packages/server/test-support/server.ts',
      'test/flows/two.test.ts': '@scope/server',
      'test/flows/three.test.ts': '../support/browser.ts',
    }
    assert.deepEqual(wrongIn(files), [])
  })

  for (const [what, file, imported, complaint] of [
    [
      'a test of a package that imports from test/',
      'packages/library/src/a/one.test.ts',
      '../../../../test/support/why.ts',
      /^packages\/library\/src\/a\/one\.test\.ts: may not import test\/support\/why\.ts, only its own package/,
    ],
    [
      'a test of a package that imports another package',
      'packages/library/src/a/one.test.ts',
      '../../../server/src/a.ts',
      /may not import packages\/server\/src\/a\.ts/,
    ],
    [
      'a helper of a package that imports from test/',
      'packages/server/test-support/one.ts',
      '../../../test/support/browser.ts',
      /may not import test\/support\/browser\.ts/,
    ],
    [
      'a test in test/ that imports an internal file of a package',
      'test/flows/one.test.ts',
      '../../packages/server/src/server/wire/wire.ts',
      /^test\/flows\/one\.test\.ts: may not import packages\/server\/src\/server\/wire\/wire\.ts: use a door/,
    ],
    [
      'a helper in test/ that imports an internal file of a package',
      'test/flows/helper.ts',
      '../../packages/library/src/a.ts',
      /may not import packages\/library\/src\/a\.ts/,
    ],
  ] as const) {
    it(`wrongTestImports reports ${what}`, () => {
      const wrong = wrongIn({ [file]: imported })
      assert.equal(wrong.length, 1)
      assert.match(wrong[0]!, complaint)
    })
  }
})
