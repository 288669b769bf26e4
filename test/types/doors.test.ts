// Compiles the doors of both packed packages in apps that have installed only what these doors
// need: several doors together, and with KEYSTILE_LONG=1 also each door alone. The compiler also
// checks the declarations of packages (skipLibCheck: false).
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isDeepStrictEqual, promisify } from 'node:util'
import { usePacked } from '../support/packed.ts'
import { compile, type Compiled } from './installed.ts'

const root = join(import.meta.dirname, '../..')
const nestPackages = ['@nestjs/common', '@nestjs/core', 'rxjs', 'reflect-metadata', '@types/node']

/** The files of the app in the guide for Nest. */
const nestFiles = ['auth.ts', 'items.ts', 'main.ts', 'news-gateway.ts']

/** Returns the packages of a new Nest app, and those that the guide for Nest installs. */
function forNest(): readonly string[] {
  const guide = readFileSync(join(root, 'docs/guides/nest.md'), 'utf8')
  const [, named = ''] = /^npm install (.+)$/m.exec(guide) ?? []
  return [...nestPackages, '@nestjs/platform-express', '@types/express', ...named.split(' ')]
}

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'

/** What each door needs besides TypeScript and its package. */
const doors: Readonly<Record<string, readonly string[]>> = {
  keystile: [],
  'keystile/jwt': [],
  'keystile/hono': ['hono'],
  'keystile/fastify': ['fastify', '@types/node'],
  'keystile/express': ['@types/node'],
  'keystile/nest': nestPackages,
  'keystile/node': ['@types/node'],
  'keystile/web': [],
  'keystile/openapi': [],
  'keystile/client': [],
  'keystile/testing': [],
  'keystile/internal': [],
  'keystile/internal-node': ['@types/node'],
  '@keystile/server': [],
  '@keystile/server/docs': [],
  '@keystile/server/command': [],
}

describe('the entry points of the packed packages', () => {
  const { app, packed } = usePacked()

  function compileImports(imported: readonly string[], others: readonly string[]): Compiled {
    const made = app(imported.some(isOfServer) ? '@keystile/server' : 'keystile', others)
    const hasNode = others.includes('@types/node')
    const compilerOptions = {
      target: 'es2023',
      // Without the types of Node, the types of a browser declare Request and Response.
      lib: hasNode ? ['es2023'] : ['es2023', 'dom', 'dom.iterable'],
      types: hasNode ? ['node'] : [],
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      skipDefaultLibCheck: true,
      preserveSymlinks: true,
      noEmit: true,
    }
    writeFileSync(join(made, 'package.json'), JSON.stringify({ type: 'module' }))
    const lines = imported.map(
      (door) => `export * as ${door.replaceAll(/\W/g, '_')} from '${door}'\n`,
    )
    writeFileSync(join(made, 'app.ts'), lines.join(''))
    writeFileSync(
      join(made, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['app.ts'] }),
    )
    return compile(made, ['-p', '.'])
  }

  it('this test covers all entry points of the packed packages', () => {
    const exported = Object.entries(packed()).flatMap(([name, at]) => {
      const { exports } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as {
        readonly exports: object
      }
      return Object.keys(exports).map((key) => name + key.slice(1))
    })
    assert.deepEqual(exported.toSorted(), Object.keys(doors).toSorted())
  })

  // One compilation for several entry points is much cheaper than one for each. So `npm test` does
  // not notice if one entry point compiles only together with another.
  for (const needed of [[], ['@types/node']]) {
    const others = needed.length > 0 ? `nothing but ${needed.join(' and ')}` : 'nothing else'
    it(`entry points that need ${needed[0] ?? 'nothing'} compile with ${others} installed`, () => {
      const together = Object.keys(doors).filter((door) => isDeepStrictEqual(doors[door], needed))
      assert.ok(together.length > 1)
      const { passed, output } = compileImports(together, needed)
      assert.ok(passed, output)
    })
  }

  for (const [door, needed] of Object.entries(doors)) {
    const others = needed.length > 0 ? `nothing but ${needed.join(' and ')}` : 'nothing else'
    it(`the entry point ${door} compiles on its own with ${others} installed`, { skip }, () => {
      const { passed, output } = compileImports([door], needed)
      assert.ok(passed, output)
    })
  }

  it('the guide for Nest names all packages that examples/nest imports', () => {
    const known = new Set([...forNest(), 'keystile', '@keystile/server'])
    for (const file of nestFiles) {
      const code = readFileSync(join(root, 'examples/nest', file), 'utf8')
      for (const [, name = ''] of code.matchAll(/(?:from|import) '((?:@[^/']+\/)?[^./':]+)[/']/g))
        assert.ok(known.has(name), `${file} imports ${name}`)
    }
  })

  it('a new Nest app compiles with the packages that the guide names', { skip }, () => {
    const made = app('@keystile/server', forNest())
    for (const file of nestFiles) copyFileSync(join(root, 'examples/nest', file), join(made, file))
    // As `nest new` writes it, but stricter: it also checks the declarations of packages.
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      types: ['node'],
      strict: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      isolatedModules: true,
      rewriteRelativeImportExtensions: true,
      skipLibCheck: false,
      skipDefaultLibCheck: true,
      preserveSymlinks: true,
      noEmit: true,
    }
    writeFileSync(join(made, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(join(made, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    const { passed, output } = compile(made, ['-p', '.'])
    assert.ok(passed, output)
  })

  it('all entry points compile together with the types of Node and without DOM types', () => {
    const { passed, output } = compileImports(Object.keys(doors), Object.values(doors).flat())
    assert.ok(passed, output)
  })

  it('an entry point does not compile if a package that it needs is missing', () => {
    for (const [door, missing] of [
      ['keystile/hono', /Cannot find module 'hono'/],
      ['keystile/node', /Cannot find name 'node:http'/],
    ] as const) {
      const { passed, output } = compileImports([door], [])
      assert.equal(passed, false)
      assert.match(output, missing)
    }
  })

  it('each packed package has README, LICENSE and CHANGELOG', () => {
    for (const at of Object.values(packed())) {
      for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md'])
        assert.ok(readFileSync(join(at, file), 'utf8').length > 200, file)
    }
  })

  it('ES modules and CommonJS load each entry point of the packed packages, and `keystile --version` runs', async () => {
    const run = promisify(execFile)
    const { NODE_OPTIONS: _, ...env } = process.env
    const made = app('@keystile/server', ['hono', 'fastify', ...nestPackages])
    const load = Object.keys(doors).map((door) => `await import('${door}')`)
    writeFileSync(join(made, 'load.mjs'), load.join('\n'))
    await run(process.execPath, ['load.mjs'], { cwd: made, env })

    // Only the program `keystile` loads this one.
    const required = Object.keys(doors).filter((door) => door !== '@keystile/server/command')
    writeFileSync(join(made, 'load.cjs'), required.map((door) => `require('${door}')`).join('\n'))
    await run(process.execPath, ['load.cjs'], { cwd: made, env })

    const command = join(made, 'node_modules/@keystile/server/bin/keystile.cjs')
    const { stdout } = await run(process.execPath, [command, '--version'], { cwd: made, env })
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })
})

function isOfServer(door: string): boolean {
  return door.startsWith('@keystile/server')
}
