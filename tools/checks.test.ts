import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CheckResult, checks, report, runCheck } from './checks.ts'

const repository = join(import.meta.dirname, '..')

describe('runCheck', () => {
  let root: string
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'keystile-checks-'))
    for (const file of [
      'tsconfig.json',
      'tsconfig.base.json',
      '.oxlintrc.json',
      '.oxfmtrc.json',
      'package.json',
    ]) {
      cpSync(join(repository, file), join(root, file))
    }
    symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
    // Git takes "node_modules/" for folders only, not for a link to one.
    writeFileSync(join(root, '.gitignore'), 'node_modules\n')
  })
  after(() => rmSync(root, { recursive: true }))

  /** Runs a check on a tree with this one file. */
  async function runOn(name: string, source: string): Promise<CheckResult> {
    const file = join(root, 'tools/planted.ts')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, source)
    return runCheck(
      checks.find((check) => check.name === name)!,
      root,
    )
  }

  const planted = [
    ['types', 'export const a: string = 1\n', /planted\.ts.*TS2322/],
    ['lint', 'export async function f(): Promise<void> {\n  f()\n}\n', /no-floating-promises/],
    ['lint', 'export let a: any\n', /no-explicit-any/],
    ['format', 'export const a = "1";\n', /planted\.ts/],
  ] as const
  for (const [name, source, complaint] of planted) {
    it(`runCheck shows a finding of the check ${name} for ${JSON.stringify(source)}`, async () => {
      const result = await runOn(name, source)
      assert.equal(result.passed, false)
      assert.match(result.output, complaint)
    })
  }

  it('runCheck shows no file that the compiler only reads, also with the ending .d.cts', async () => {
    const source = "import 'zod'\nexport const a: string = 1\n"
    const { output } = await runOn('types', source)
    assert.match(output, /TS2322/)
    assert.doesNotMatch(output, /node_modules/)
  })

  for (const name of ['types', 'lint', 'format']) {
    it(`runCheck passes if the check ${name} finds no fault in a file`, async () => {
      const result = await runOn(name, "export const a = '1'\n")
      assert.equal(result.passed, true, result.output)
      assert.ok(result.files > 0)
    })
  }

  it('runCheck fails if a check exits with 0 but has read no file', async () => {
    writeFileSync(join(root, 'nothing.ts'), "console.log('0 files are fine')")
    const result = await runCheck(
      { name: 'nothing', command: ['nothing.ts'], filesRead: () => 0 },
      root,
    )
    assert.equal(result.passed, false)
    assert.match(result.output, /It read no files/)
  })
})

describe('report()', () => {
  const results: readonly CheckResult[] = [
    { name: 'types', passed: true, files: 61, seconds: 1.25, output: 'quiet' },
    { name: 'lint', passed: false, files: 7, seconds: 0.5, output: 'a.ts: wrong\n' },
  ]

  it('report() prints the output of failed checks, and one line for every check', () => {
    assert.deepEqual(report(results).split('\n'), [
      '--- lint',
      'a.ts: wrong',
      '',
      'types    passed    61 files    1.3 s',
      'lint     FAILED     7 files    0.5 s',
    ])
  })
})
