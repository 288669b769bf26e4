import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { explained, rooms } from './mutants.ts'
import { applyMutant, mutantsOf } from './mutate-source.ts'
import {
  filesOf,
  findIdleExplanations,
  findNoticedExplanations,
  runMutants,
  type MutationOptions,
  type Result,
} from './mutate.ts'

const mutationsOf = (source: string): readonly string[] => mutantsOf(source).map(({ mutation }) => mutation)
const changedBy = (source: string): readonly string[] => mutantsOf(source).map((mutant) => applyMutant(source, mutant))

describe('mutantsOf', () => {
  it('makes exactly these of a small source, and leaves comments, strings, expressions and types alone', () => {
    const source = [
      '/** Whether a && b, if (c) throw d. */',
      'export function isOpen<T extends string>(door: Map<T, boolean>, key: T | undefined): boolean {',
      "  if (key === undefined || key.length > 8) throw new Error('a < b && !c') // if (true) return false",
      '  const text = `true ${door.has(key) ? 1 : 0} false`',
      '  return !/a && b/.test(text)',
      '}',
    ].join('\n')
    const [condition, refusal] = ['key === undefined || key.length > 8', "throw new Error('a < b && !c')"]
    const line = (changed: string): string => `  ${changed} // if (true) return false`
    const expected = [
      [3, `negated: ${condition}`, line(`if (!(${condition})) ${refusal}`)],
      [3, '!== in: key === undefined', line(`if (key !== undefined || key.length > 8) ${refusal}`)],
      [3, 'dropped: key === undefined', line(`if (key.length > 8) ${refusal}`)],
      [3, 'dropped: key.length > 8', line(`if (key === undefined) ${refusal}`)],
      [3, '>= in: key.length > 8', line(`if (key === undefined || key.length >= 8) ${refusal}`)],
      [3, '8 becomes 7', line(`if (key === undefined || key.length > 7) ${refusal}`)],
      [3, '8 becomes 9', line(`if (key === undefined || key.length > 9) ${refusal}`)],
      [3, 'dropped: throw', line(`if (${condition}) ;`)],
      [4, 'negated: door.has(key)', '  const text = `true ${!(door.has(key)) ? 1 : 0} false`'],
      [5, 'dropped: ! of /a && b/.test(text)', '  return /a && b/.test(text)'],
    ]
    const found = mutantsOf(source).map((mutant) => {
      const changed = applyMutant(source, mutant).split('\n')
      assert.deepEqual(changed.toSpliced(mutant.line - 1, 1), source.split('\n').toSpliced(mutant.line - 1, 1))
      assert.equal(mutant.text, source.split('\n')[mutant.line - 1]!.trim())
      return [mutant.line, mutant.mutation, changed[mutant.line - 1]]
    })
    assert.deepEqual(found, expected)
  })

  const cases: readonly (readonly [what: string, source: string, changed: readonly string[]])[] = [
    ['drops each operand of a chain once', 'a(b && c && d)', ['a(c && d)', 'a(b && d)', 'a(b && c)']],
    ['takes what binds closer for one operand', 'x = a || b && c', ['x = b && c', 'x = a', 'x = a || c', 'x = a || b']],
    ['drops the operand of a spread', 'f({ ...(a && { b }) })', ['f({ ...({ b }) })', 'f({ ...(a) })']],
    [
      'ends an operand where the next line begins a statement',
      'const x = a && b\nfoo()',
      ['const x = b\nfoo()', 'const x = a\nfoo()'],
    ],
    ['turns booleans round', 'f(true, { a: false })', ['f(false, { a: false })', 'f(true, { a: true })']],
    ['shifts a comparison', 'f(a <= b)', ['f(a < b)']],
    ['exchanges every and some', 'a.every(isB)', ['a.some(isB)']],
    ['negates the answer to a question', 'a.filter((b) => c.has(b))', ['a.filter((b) => !(c.has(b)))']],
    ['moves a named limit', 'const max = 1_000', ['const max = 999', 'const max = 1001']],
    [
      'moves a limit of an object, and no status',
      'f({ max: 2, status: 200 })',
      ['f({ max: 1, status: 200 })', 'f({ max: 3, status: 200 })'],
    ],
    ['lets an index and an argument be', 'f(a[1], 2)', []],
    ['drops a check that is called', 'a()\nrequireB(c)', ['a()\n;']],
    ['lets a check be whose answer is used', 'const a = checkB(c)', []],
    [
      'drops an early return of nothing',
      'function f() {\n  if (a) return\n  b()\n}',
      ['function f() {\n  if (!(a)) return\n  b()\n}', 'function f() {\n  if (a) ;\n  b()\n}'],
    ],
    ['lets a return of nothing be where the function ends anyway', 'const f = () => {\n  return undefined\n}', []],
    ['counts no change that does not parse', 'if (a === 1) throw b; else c()', ['if (a !== 1) throw b; else c()']],
  ]
  for (const [what, source, changed] of cases) {
    it(what, () => {
      assert.deepEqual(changedBy(source), changed)
    })
  }

  it('reads every file that is mutated', () => {
    const root = join(import.meta.dirname, '..')
    const files = Object.values(rooms).flatMap((room) => filesOf(room, root).map(({ file }) => file))
    const found = files.map((file) => mutationsOf(readFileSync(join(root, file), 'utf8')).length)
    assert.ok(files.length > 30 && found.filter((count) => count > 0).length > 25)
  })
})

/** A repository of one package, which its tests reach by its name: through node_modules, as ours do. */
const planted: Readonly<Record<string, string>> = {
  'packages/planted/package.json': '{ "name": "planted", "type": "module", "exports": { "./*": "./src/*" } }',
  'packages/planted/src/tested.ts':
    "export function half(n: number): number {\n  if (n % 2 === 1) throw new Error('odd')\n  return n / 2\n}\n",
  'packages/planted/src/tested.test.ts':
    "import assert from 'node:assert'\nimport { it } from 'node:test'\nimport { half } from 'planted/tested.ts'\n" +
    "it('halves', () => assert.equal(half(4), 2))\nit('refuses', () => assert.throws(() => half(3)))\n",
  'packages/planted/src/untested.ts': 'export const isLong = (text: string): boolean => text.length > 8\n',
  'packages/planted/src/endless.ts': 'export function run(): void {\n  while (false);\n}\n',
  'packages/planted/src/endless.test.ts':
    "import { it } from 'node:test'\nimport { run } from 'planted/endless.ts'\nit('ends', () => run())\n",
}

describe('runMutants', () => {
  let root: string
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'keystile-planted-'))
    for (const [path, source] of Object.entries(planted)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), source)
    }
    mkdirSync(join(root, 'node_modules'))
    symlinkSync('../packages/planted', join(root, 'node_modules/planted'))
  })
  after(() => rmSync(root, { recursive: true }))

  const run = (name: string, options: Partial<MutationOptions> = {}): Promise<readonly Result[]> => {
    const files = filesOf({ folder: 'packages/planted/src', files: [`${name}.ts`], tests: [] }, root)
    return runMutants(files, { root, explained: [], leastTimeoutSeconds: 1, workers: 2, ...options })
  }

  it('finds no survivor where the tests notice everything, and leaves the tree as it is', async () => {
    const results = await run('tested')
    assert.deepEqual(
      results.map(({ mutation, outcome }) => [mutation, outcome]),
      [
        ['2 becomes 1', 'killed'],
        ['2 becomes 3', 'killed'],
        ['!== in: n % 2 === 1', 'killed'],
        ['dropped: throw', 'killed'],
      ],
    )
    for (const [path, source] of Object.entries(planted)) assert.equal(readFileSync(join(root, path), 'utf8'), source)
  })

  it('finds survivors where no test looks, and says where they are', async () => {
    const results = await run('untested')
    assert.deepEqual(
      results.map(({ file, line, mutation, outcome }) => [file, line, mutation, outcome]),
      ['>= in: text.length > 8', '8 becomes 7', '8 becomes 9'].map((mutation) => [
        'packages/planted/src/untested.ts',
        1,
        mutation,
        'survived',
      ]),
    )
  })

  it('takes a change that hangs the tests for noticed', async () => {
    const results = await run('endless')
    assert.deepEqual(
      results.map(({ mutation, outcome, hung }) => [mutation, outcome, hung]),
      [
        ['negated: false', 'killed', true],
        ['false becomes true', 'killed', true],
      ],
    )
  })

  it('throws when a test fails though nothing was changed', async () => {
    const file = join(root, 'packages/planted/src/broken.test.ts')
    writeFileSync(file, "import { it } from 'node:test'\nit('fails', () => { throw new Error() })\n")
    await assert.rejects(run('tested'), /unchanged, these tests have failed: .*broken\.test\.ts/)
    rmSync(file)
  })

  it('does not run what is explained, and tells an explanation that fits nothing', async () => {
    const file = 'packages/planted/src/untested.ts'
    const line = planted[file]!.trim()
    const explanations = [
      { file, line, mutation: '8 becomes 7', why: 'planted' },
      { file, line: 'gone', why: 'planted' },
      { file, line, mutation: '8 becomes 6', why: 'planted' },
      { file: 'elsewhere.ts', line, why: 'of a file that is not mutated now' },
    ]
    const results = await run('untested', { explained: explanations })
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['survived', 'explained', 'survived'],
    )
    assert.deepEqual(findIdleExplanations(explanations, results, [file]), explanations.slice(1, 3))
  })
})

describe('findNoticedExplanations', () => {
  const [file, line] = ['a.ts', 'x(1, 2)']
  const result = (mutation: string, outcome: Result['outcome']): Result => {
    const mutant = { line: 1, text: line, mutation, start: 0, end: 1, replacement: '' }
    return { ...mutant, file, outcome, hung: false, seconds: 1 }
  }

  it('finds an explanation of which nothing survives, and none that has not run', () => {
    const one = { file, line, mutation: '1 becomes 2', why: 'planted' }
    const other = { file, line, mutation: '2 becomes 3', why: 'planted' }
    const all = { file, line, why: 'planted' }
    const found = findNoticedExplanations(
      [one, other, all, { ...one, file: 'elsewhere.ts' }],
      [result('1 becomes 2', 'killed'), result('2 becomes 3', 'explained')],
    )
    assert.deepEqual(found, [one])
  })
})

describe('explained', () => {
  it('fits only what is in the source now', () => {
    const root = join(import.meta.dirname, '..')
    for (const { file, line, mutation } of explained) {
      const mutants = mutantsOf(readFileSync(join(root, file), 'utf8'))
      const fits = mutants.some((mutant) => mutant.text === line && (mutation ?? mutant.mutation) === mutant.mutation)
      assert.ok(fits, `${file}: ${mutation ?? 'any'} of ${line}`)
    }
  })
})
