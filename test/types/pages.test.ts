// Compiles each program of the pages in an app that has installed only what the program imports,
// with skipLibCheck off. Packing and compiling takes a while, so `npm test` leaves it out (there
// all programs compile inside the repository); `npm run test:long` runs it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { blocks, wholeBlocks, type Block } from '../docs/blocks.ts'
import { usePacked } from '../support/packed.ts'
import { compile } from './installed.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'
/** The other package that each of these packages needs. */
const alsoNeeded: Readonly<Record<string, string>> = {
  express: '@types/express',
  '@hono/zod-openapi': 'hono',
}

/** Returns a program and the other blocks of its page that it imports. */
function filesOf(program: Block): readonly Block[] {
  const imported = blocks.filter(({ name }) => program.code.includes(`'./${name}.ts'`))
  return [program, ...imported.flatMap(filesOf)]
}

/** Returns what a program needs besides Keystile, TypeScript and the types of Node. */
function packagesOf(program: Block): readonly string[] {
  const imported = filesOf(program).flatMap(({ code }) =>
    Array.from(code.matchAll(/ from '((?:@[\w-]+\/)?\w[\w-]*)/g), ([, name = '']) => name),
  )
  const others = imported.filter((name) => name !== 'keystile' && name !== '@keystile/server')
  // The types of these doors are those of their framework.
  for (const framework of ['hono', 'fastify']) {
    if (filesOf(program).some(({ code }) => code.includes(`'keystile/${framework}'`)))
      others.push(framework)
  }
  return [...new Set(others.flatMap((name) => [name, alsoNeeded[name] ?? name]))]
    .filter((name) => name !== 'node')
    .toSorted()
}

describe('the programs in the documentation', { skip }, () => {
  const { app } = usePacked()

  const programs = wholeBlocks.filter(({ name }) => !name.endsWith('-express-4'))
  const groups = Map.groupBy(programs, (block) => packagesOf(block).join(' and '))
  for (const [names, group] of groups) {
    it(`${group.length} programs compile with keystile${names ? ` and ${names}` : ' only'}`, () => {
      const others = [...(names ? names.split(' and ') : []), '@types/node']
      const made = app('@keystile/server', others)
      const compilerOptions = {
        target: 'es2024',
        lib: ['es2024', 'dom', 'dom.iterable'], // the types of Hono use types of browsers
        types: ['node'],
        module: 'nodenext',
        strict: true,
        skipLibCheck: false,
        preserveSymlinks: true,
        allowImportingTsExtensions: true, // as Node runs the files
        noEmit: true,
      }
      writeFileSync(join(made, 'package.json'), JSON.stringify({ type: 'module' }))
      writeFileSync(join(made, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
      for (const { name, code } of group.flatMap(filesOf))
        writeFileSync(join(made, `${name}.ts`), `${code}\nexport {}\n`)
      const { passed, output } = compile(made, ['-p', '.'])
      assert.ok(passed, output)
    })
  }
})
