// Compiles each program of the pages in an app that has installed only what the program imports,
// with skipLibCheck off. Packing and compiling takes a while, so `npm test` leaves it out (there
// all programs compile inside the repository); `npm run test:long` runs it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { wholeBlocks, type Block } from '../docs/blocks.ts'
import { usePacked } from '../support/packed.ts'
import { compile } from './installed.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'
/** The other package that each of these packages needs. */
const alsoNeeded: Readonly<Record<string, string>> = {
  express: '@types/express',
  '@hono/zod-openapi': 'hono',
}

/** Returns what a program needs besides Keystile, TypeScript and the types of Node. */
function packagesOf({ code }: Block): readonly string[] {
  const imported = Array.from(
    code.matchAll(/ from '((?:@[\w-]+\/)?[\w-]+)/g),
    ([, name = '']) => name,
  )
  const others = imported.filter((name) => name !== 'keystile' && name !== '@keystile/server')
  return [...new Set(others.flatMap((name) => [name, alsoNeeded[name] ?? name]))]
    .filter((name) => name !== 'node')
    .toSorted()
}

describe('the programs of the pages', { skip }, () => {
  const { app } = usePacked()

  const programs = wholeBlocks.filter(({ name }) => !name.endsWith('-express-4'))
  const groups = Map.groupBy(programs, (block) => packagesOf(block).join(' and '))
  for (const [names, blocks] of groups) {
    it(`${blocks.length} programs compile with ${names || 'nothing else'} installed`, () => {
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
        noEmit: true,
      }
      writeFileSync(join(made, 'package.json'), JSON.stringify({ type: 'module' }))
      writeFileSync(join(made, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
      for (const { name, code } of blocks)
        writeFileSync(join(made, `${name}.ts`), `${code}\nexport {}\n`)
      const { passed, output } = compile(made, ['-p', '.'])
      assert.ok(passed, output)
    })
  }
})
