import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { checkRooms } from './check-rooms.ts'
import type { Plan } from './rooms.ts'

const plan: Plan = {
  packages: [
    {
      folder: 'packages/library',
      name: 'library',
      doors: [
        { file: 'index.ts', for: 'all' },
        { file: 'extra.ts', for: 'more' },
      ],
      rooms: [
        { name: 'base', for: 'ground', from: [], packagesOf: { 'random.ts': ['node:crypto'] } },
        { name: 'middle', for: 'between', from: ['base'], packages: ['node:http'] },
        { name: 'client', for: 'browsers', from: ['base', 'middle'], neverLoads: ['node:'] },
        { name: 'top', for: 'all together', from: ['*'] },
      ],
    },
    {
      folder: 'packages/server',
      name: '@scope/server',
      doors: [{ file: 'index.ts', for: 'all' }],
      rooms: [
        { name: 'storage', for: 'data', from: [], packages: ['kysely'] },
        { name: 'features/a', for: 'a', from: ['storage'], packages: ['kysely', 'library'] },
        { name: 'features/a/inner', for: 'a room in a room', from: ['features/a'] },
        { name: 'features/b', for: 'b', from: ['features/a'] },
      ],
    },
  ],
  onlyIn: { kysely: ['storage/**', '**/store.ts'] },
  privateFiles: { 'features/*/{store,tables}.ts': ['features/b/commands.ts'] },
  deferred: ['features/*/late.ts'],
  longFiles: {},
}

const lines = (...all: readonly string[]): string => all.join('\n')

/** A tree that follows the plan, with something to check for every rule. */
const goodTree: Readonly<Record<string, string>> = {
  'packages/library/src/index.ts': lines(
    `/** The door. */`,
    `export { one } from './base/one.ts'`,
    `export type { Two } from './middle/two.ts'`,
    ``,
  ),
  'packages/library/src/extra.ts': `export * from './top/top.ts'`,
  'packages/library/src/base/one.ts': lines(
    `// any, declare module, export default`,
    `export const one = 'any'`,
  ),
  'packages/library/src/base/random.ts': lines(
    `import { randomBytes } from 'node:crypto'`,
    `export const random = () => randomBytes(1)`,
  ),
  'packages/library/src/middle/two.ts': lines(
    `import { get } from 'node:http'`,
    `import { one } from '../base/one.ts'`,
    `export type Two = 2`,
  ),
  'packages/library/src/middle/two.test.ts': lines(
    `import { plan } from '../../../../tools/rooms.ts'`,
    `import 'whatever'`,
  ),
  'packages/library/src/client/client.ts': lines(
    `import type { Two } from '../middle/two.ts'`,
    `import { one } from '../base/one.ts'`,
    `export const three = AbortSignal.any([])`,
  ),
  'packages/library/src/top/top.ts': lines(
    `import { three } from '../client/client.ts'`,
    `export const top = three`,
  ),
  'packages/server/src/index.ts': `export { a } from './features/a/a.ts'`,
  'packages/server/src/storage/open.ts': lines(
    `import { Kysely } from 'kysely'`,
    `export const open = Kysely`,
  ),
  'packages/server/src/features/a/store.ts': lines(
    `import { sql } from 'kysely'`,
    `import { open } from '../../storage/open.ts'`,
  ),
  'packages/server/src/features/a/a.ts': lines(
    `import { one } from 'library'`,
    `import { top } from 'library/extra'`,
    `export const a = one`,
  ),
  'packages/server/src/features/a/inner/own.ts': `import '../store.ts'`,
  'packages/server/src/features/b/commands.ts': `import '../a/store.ts'`,
  'packages/server/src/features/b/b.test.ts': `import '../a/store.ts'`,
  'packages/server/src/features/a/inner/b.ts': `import { a } from '../a.ts'\nexport const b = a`,
  'packages/server/src/features/a/late.ts': `import { a } from './a.ts'`,
  'packages/server/src/features/a/when.ts': lines(
    `import type { A } from './late.ts'`,
    `export const late = () => import('./late.ts')`,
  ),
}

function problemsOf(
  planted: Readonly<Record<string, string | undefined>>,
  planned: Plan = plan,
): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'keystile-rooms-'))
  try {
    for (const [path, source] of Object.entries({ ...goodTree, ...planted })) {
      if (source === undefined) continue
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), source)
    }
    return checkRooms(root, planned).problems
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Returns the plan with a changed first room, `base`. */
function planWithBase(change: Partial<Plan['packages'][number]['rooms'][number]>): Plan {
  const [library, server] = plan.packages
  const [base, ...others] = library!.rooms
  return {
    ...plan,
    packages: [{ ...library!, rooms: [{ ...base!, ...change }, ...others] }, server!],
  }
}

const library = 'packages/library/src'
const server = 'packages/server/src'
const longText = 'export const a = 1\n'.repeat(401)

describe('checkRooms', () => {
  it('checkRooms reports nothing if all files follow the plan of rooms', () => {
    assert.deepEqual(problemsOf({}), [])
  })

  it('checkRooms returns the number of files that it has read', () => {
    const root = mkdtempSync(join(tmpdir(), 'keystile-rooms-'))
    mkdirSync(join(root, 'packages/library/src/base'), { recursive: true })
    writeFileSync(join(root, 'packages/library/src/base/one.ts'), '')
    assert.equal(checkRooms(root, plan).files, 1)
    rmSync(root, { recursive: true })
  })

  /** Each rule, the file that breaks it, its text, and the one problem that must be reported. */
  const violations: readonly (readonly [
    rule: string,
    path: string,
    source: string,
    complaint: RegExp,
  ])[] = [
    [
      'from a room that its own room may not use',
      `${library}/middle/x.ts`,
      `import { t } from '../top/top.ts'`,
      /the room middle does not name top/,
    ],
    [
      'from a room that the plan lists after its own room',
      `${library}/base/x.ts`,
      `import type { Two } from '../middle/two.ts'`,
      /may not import middle\/two\.ts/,
    ],
    [
      'a file that is in no room',
      `${library}/base/x.ts`,
      `import { y } from '../y.ts'`,
      /may not import y\.ts/,
    ],
    [
      'an entry file (door) of its own package',
      `${library}/top/x.ts`,
      `import { one } from '../index.ts'`,
      /a door is for outsiders/,
    ],
    [
      'by import() from a room that its own room may not use',
      `${library}/base/x.ts`,
      `const x = await import('../top/top.ts')`,
      /does not name top/,
    ],
    [
      'a package that its room does not list',
      `${library}/base/x.ts`,
      `import 'left-pad'`,
      /does not list left-pad/,
    ],
    [
      'a package that is listed only for another file of the room',
      `${library}/base/x.ts`,
      `import 'node:crypto'`,
      /does not list node:crypto/,
    ],
    [
      'a Node module without the prefix node:',
      `${library}/middle/x.ts`,
      `import { get } from 'http'`,
      /does not list http/,
    ],
    [
      'a computed import()',
      `${library}/base/x.ts`,
      `await import(process.argv[2])`,
      /does not list \(computed\)/,
    ],
    [
      'kysely outside storage/ and store.ts',
      `${server}/features/a/x.ts`,
      `import { sql } from 'kysely'`,
      /may not import kysely: only/,
    ],
    [
      'a path into another package',
      `${server}/features/a/x.ts`,
      `import '../../../../library/src/base/one.ts'`,
      /outside its package/,
    ],
    [
      'an internal path of another package',
      `${server}/features/a/x.ts`,
      `import 'library/src/base/one.ts'`,
      /library has no such door/,
    ],
    [
      'an entry point that another package does not have',
      `${server}/features/a/x.ts`,
      `import 'library/none'`,
      /library has no such door/,
    ],
    [
      'its own package by name',
      `${library}/top/x.ts`,
      `import { one } from 'library'`,
      /does not list library/,
    ],
    [
      'a package that its room must never load',
      `${library}/client/x.ts`,
      `import { o } from '../middle/two.ts'`,
      /must never load node:http: client\/x\.ts -> middle\/two\.ts/,
    ],
    [
      'a private file of another folder',
      `${server}/features/b/x.ts`,
      `import type { Row } from '../a/store.ts'`,
      /may not import features\/a\/store\.ts: outside its folder, only features\/b\/commands\.ts may/,
    ],
    [
      'a deferred file by a static import',
      `${server}/features/a/x.ts`,
      `import { late } from './late.ts'`,
      /may load features\/a\/late\.ts only by import\(…\)/,
    ],
    [
      'itself',
      `${library}/base/x.ts`,
      `import './x.ts'`,
      /imports itself: base\/x\.ts -> base\/x\.ts/,
    ],
  ]
  for (const [rule, path, source, complaint] of violations) {
    it(`checkRooms reports a file that imports ${rule}`, () => {
      const problems = problemsOf({ [path]: source })
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0]!, complaint)
      assert.ok(problems[0]!.startsWith(path))
    })
  }

  it('checkRooms reports an import cycle once, with its path', () => {
    const circle = {
      [`${library}/base/x.ts`]: `import type { Y } from './y.ts'`,
      [`${library}/base/y.ts`]: `import './z.ts'`,
      [`${library}/base/z.ts`]: `import './x.ts'`,
    }
    assert.deepEqual(problemsOf(circle), [
      `${library}/base/x.ts: imports itself: base/x.ts -> base/y.ts -> base/z.ts -> base/x.ts`,
    ])
  })

  const misplaced: readonly (readonly [
    what: string,
    path: string,
    source: string,
    complaint: RegExp,
  ])[] = [
    ['a file in no room', `${library}/attic/x.ts`, '', /is in no room/],
    [
      'a file beside the entry files that is not an entry file',
      `${library}/x.ts`,
      '',
      /is in no room/,
    ],
    ['a file that is not .ts', `${library}/base/x.mjs`, '', /must be a \.ts file/],
    [
      'a file in a room that re-exports another file',
      `${library}/middle/x.ts`,
      `export { one } from '../base/one.ts'`,
      /re-exports .*; only a door may do that/,
    ],
    [
      'a file in a room that re-exports with export *',
      `${library}/middle/x.ts`,
      `export * from '../base/one.ts'`,
      /only a door may do that/,
    ],
    [
      'an entry file that contains code',
      `${library}/extra.ts`,
      `export * from './base/one.ts'\nlet a = 1`,
      /is a door, so it must only re-export/,
    ],
    [
      'an entry file that re-exports a package',
      `${library}/extra.ts`,
      `export { z } from 'zod'`,
      /which belongs to no room/,
    ],
    ['a file that is too long', `${library}/base/x.ts`, longText, /has 401 lines/],
    [
      'a line that is too wide',
      `${library}/base/x.ts`,
      `export const a = 1\n// ${'x'.repeat(98)}`,
      /line 2 is wider than 100 columns/,
    ],
    [
      'a file that it cannot parse',
      `${library}/base/x.ts`,
      "const a = 'b",
      /cannot be read: line 1: a string without an end/,
    ],
    [
      'a package that is not in the plan',
      'packages/stray/package.json',
      '{}',
      /packages\/stray is not in the plan/,
    ],
  ]
  for (const [what, path, source, complaint] of misplaced) {
    it(`checkRooms reports ${what}`, () => {
      const problems = problemsOf({ [path]: source })
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0]!, complaint)
    })
  }

  const words: readonly (readonly [source: string, complaint: RegExp])[] = [
    ...[
      'let a: any',
      'f(a as any)',
      'type A = Map<string, any>',
      'let a: any[]',
      'type A = B extends C ? any : never',
    ].map((source) => [source, /uses the type any/] as const),
    ["declare module 'express' {}", /changes the types of other packages/],
    ['declare global {}', /changes the types of other packages/],
    ['export default 1', /has a default export/],
    ['const a = 1\nexport { a as default }', /has a default export/],
  ]
  for (const [source, complaint] of words) {
    it(`checkRooms reports ${JSON.stringify(source)}, also in a test`, () => {
      for (const path of [`${library}/base/x.ts`, `${library}/base/x.test.ts`]) {
        const problems = problemsOf({ [path]: source })
        assert.equal(problems.length, 1, problems.join('\n'))
        assert.match(problems[0]!, complaint)
      }
    })
  }

  it('checkRooms accepts the word "any" if it is not a type', () => {
    const source =
      'Promise.any([])\nfunction any() {}\nany()\nconst a = { any: 1, `any`: /any/ } // any'
    assert.deepEqual(problemsOf({ [`${library}/base/x.ts`]: source }), [])
  })

  it('checkRooms reports a room of the plan that has no files', () => {
    const problems = problemsOf({
      [`${library}/top/top.ts`]: undefined,
      [`${library}/extra.ts`]: `export * from './base/one.ts'`,
    })
    assert.deepEqual(problems, ['rooms.ts, library: no file is in the room top'])
  })

  it('checkRooms reports a room of the plan that has only tests', () => {
    const path = `${server}/features/a/inner/b`
    const problems = problemsOf({
      [`${path}.ts`]: undefined,
      [`${server}/features/a/inner/own.ts`]: undefined,
      [`${path}.test.ts`]: '',
    })
    assert.deepEqual(problems, ['rooms.ts, @scope/server: no file is in the room features/a/inner'])
  })

  it('checkRooms reports an entry file that the plan names but that does not exist', () => {
    const [problem, ...others] = problemsOf({ [`${server}/index.ts`]: undefined })
    assert.equal(problem, 'rooms.ts, @scope/server: there is no door index.ts')
    assert.deepEqual(others, [])
  })

  it('checkRooms reports packages that have no source files', () => {
    const nothing = Object.fromEntries(Object.keys(goodTree).map((path) => [path, undefined]))
    assert.equal(problemsOf({ ...nothing, 'packages/readme': '' }).length, 12)
  })

  it('checkRooms reports a room whose `from` names a room that the plan lists later', () => {
    assert.deepEqual(problemsOf({}, planWithBase({ from: ['middle'] })), [
      'rooms.ts, library: base names middle, which is not above it',
    ])
  })

  it('checkRooms reports an allowed import that no file of the room uses', () => {
    assert.deepEqual(problemsOf({}, planWithBase({ packages: ['node:fs'] })), [
      'rooms.ts, library: base may import node:fs, but no file of it does',
    ])
    const middle = `${library}/middle/two.ts`
    assert.deepEqual(
      problemsOf({ [middle]: `import { get } from 'node:http'\nexport type Two = 2` }),
      ['rooms.ts, library: middle may import base, but no file of it does'],
    )
  })

  it('checkRooms reports a file in packagesOf that does not exist', () => {
    const planned = planWithBase({
      packagesOf: { 'random.ts': ['node:crypto'], 'gone.ts': ['node:os'] },
    })
    assert.deepEqual(problemsOf({}, planned), ['rooms.ts, library: there is no base/gone.ts'])
  })

  it('checkRooms accepts a long file in longFiles, and reports a short file there', () => {
    const path = `${library}/base/x.ts`
    const planned = { ...plan, longFiles: { [path]: 'one table, read from top to bottom' } }
    assert.deepEqual(problemsOf({ [path]: longText }, planned), [])
    assert.deepEqual(problemsOf({}, planned), [
      `rooms.ts: ${path} is in longFiles, so it must be longer than 400 lines`,
    ])
  })
})
