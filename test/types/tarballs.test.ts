import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'

const packages = join(import.meta.dirname, '../../packages')
/** The documents that each package contains. */
const documents = ['README.md', 'LICENSE', 'CHANGELOG.md']
/** Files that may be in the folder of a package, and that npm must not publish. */
const planted = [
  'dist/.tsbuildinfo',
  'dist/index.js.map',
  'src/index.ts',
  'src/index.test.ts',
  'test-support/helper.ts',
  '.env',
  'data/keystile.key',
]

/**
 * Returns the files that npm would publish from a folder with these files and the `package.json` of
 * a package.
 */
function filesPublished(name: string, files: readonly string[], folder: string): readonly string[] {
  for (const file of files) {
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(join(folder, file), '')
  }
  copyFileSync(join(packages, name, 'package.json'), join(folder, 'package.json'))
  const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const packed = Object.values(
    JSON.parse(stdout) as Record<string, { readonly files: readonly { path: string }[] }>,
  )
  assert.equal(packed.length, 1, stderr)
  return packed.flatMap(({ files }) => files.map(({ path }) => path)).toSorted()
}

describe('the packed files of each package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-tarball-'))
  after(() => rmSync(folder, { recursive: true }))

  it('the packed keystile contains compiled files, but no cache of the compiler', () => {
    const built = ['dist/index.d.ts', 'dist/index.js', 'dist/guard/guard.js']
    const published = filesPublished(
      'keystile',
      [...built, ...documents, ...planted],
      join(folder, 'keystile'),
    )
    assert.deepEqual(
      published,
      [...built, ...documents, 'dist/index.js.map', 'package.json'].toSorted(),
    )
  })

  it('the packed @keystile/server contains its bundle, types, command and common passwords', () => {
    const built = [
      'bundle/index.js',
      'dist/index.d.ts',
      'bin/keystile.cjs',
      'blocklist/common-passwords.txt',
    ]
    const published = filesPublished(
      'server',
      [...built, ...documents, ...planted],
      join(folder, 'server'),
    )
    assert.deepEqual(published, [...built, ...documents, 'package.json'].toSorted())
  })
})
