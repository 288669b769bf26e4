import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { importsOf, packageOf } from './imports.ts'

const specifiers = (source: string): readonly string[] =>
  importsOf(source).map(({ specifier }) => specifier)
const typeOnly = (source: string): boolean | undefined => importsOf(source)[0]?.typeOnly

describe('importsOf', () => {
  it('importsOf finds every form of import and export, in order', () => {
    const source = [
      `import a from 'one'`,
      `import type { B } from "two"`,
      `import {`,
      `  c, // from 'nowhere'`,
      `  type D,`,
      `} from './three.ts'`,
      `import * as e from 'four'`,
      `import 'five'`,
      `export { f } from './six.ts'`,
      `export * from './seven.ts'`,
      `const g = await import('eight')`,
      `type H = import("nine").H`,
      `process.getBuiltinModule('node:ten')`,
    ].join('\n')
    assert.deepEqual(specifiers(source), [
      'one',
      'two',
      './three.ts',
      'four',
      'five',
      './six.ts',
      './seven.ts',
      'eight',
      'nine',
      'node:ten',
    ])
  })

  it('importsOf distinguishes imports of types from imports of values', () => {
    assert.equal(typeOnly(`import type { A } from 'a'`), true)
    assert.equal(typeOnly(`export type { A } from 'a'`), true)
    assert.equal(typeOnly(`import { type A } from 'a'`), false)
    assert.equal(typeOnly(`import type from 'a'`), false)
  })

  it('importsOf distinguishes re-exports from imports', () => {
    const declarations = `export interface A {}\nexport function b() {}`
    const source = `${declarations}\nimport { c } from 'c'\nexport { d } from 'd'`
    assert.deepEqual(
      importsOf(source).map(({ specifier, passedOn }) => [specifier, passedOn]),
      [
        ['c', false],
        ['d', true],
      ],
    )
  })

  it('importsOf distinguishes static imports from imports inside a call', () => {
    const source = `import 'a'\nexport { b } from 'b'\nconst c = async () => (await import('c')).d`
    assert.deepEqual(
      importsOf(source).map(({ specifier, deferred }) => [specifier, deferred]),
      [
        ['a', false],
        ['b', false],
        ['c', true],
      ],
    )
  })

  it('importsOf ignores comments, strings and templates', () => {
    assert.deepEqual(
      specifiers("// import 'a'\nconst b = `import 'c' from 'd'`\nconst e = \"import('f')\""),
      [],
    )
  })

  it('importsOf lists an import() with a computed argument as (computed)', () => {
    assert.deepEqual(specifiers('await import(url.href); await import(`./${name}.ts`)'), [
      '(computed)',
      '(computed)',
    ])
  })

  it('importsOf throws an error for an unknown form of import or export', () => {
    assert.throws(
      () => importsOf(`import { "odd name" as a } from 'a'`),
      /must belong to an import/,
    )
  })
})

describe('packageOf', () => {
  it('packageOf removes the path inside a package, but keeps its scope', () => {
    assert.deepEqual(
      ['node:fs/promises', '@node-rs/argon2/x', 'keystile/jwt', 'hono'].map(packageOf),
      ['node:fs', '@node-rs/argon2', 'keystile', 'hono'],
    )
  })
})
