// Tests enforced.test.ts, the test of random apps. It must fail for each mistake that is planted in
// the code that finds guards.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'

interface Mistake {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const openapi = 'packages/keystile/src/openapi'
const frameworks = 'packages/keystile/src/frameworks'
const mistakes: readonly Mistake[] = [
  {
    what: 'omits that optional guards also admit requests without credentials',
    file: `${openapi}/security.ts`,
    from: '...(optional ? [{}] : [])',
    to: '',
  },
  {
    what: 'writes only the last of several guards',
    file: `${openapi}/security.ts`,
    from: 'before ? joinDemands(before, demand) : demand',
    to: 'demand',
  },
  {
    what: 'includes guards that are registered after the handler',
    file: `${frameworks}/hono/routes.ts`,
    from: "if (handler.length === 1 && isPlain) return 'yes'",
    to: '',
  },
  {
    what: 'ignores that a GET route also answers HEAD',
    file: `${frameworks}/hono/routes.ts`,
    from: "method === 'head' ? 'GET' : method.toUpperCase()",
    to: 'method.toUpperCase()',
  },
  {
    what: 'applies a guard for later routes to all routes',
    file: `${frameworks}/express/find-route.ts`,
    from: 'for (const layer of stack) {\n    const match',
    to: 'for (const layer of stack.toSorted((a, b) => Number(!!a.route) - Number(!!b.route))) {\n    const match',
  },
  {
    what: 'finds the guards of a route but not the guards of its plugin',
    file: `${frameworks}/fastify/routes.ts`,
    from: '[inherited[phase], options[phase]]',
    to: '[options[phase]]',
  },
  {
    what: 'takes the first route with a parameter, whatever the parameter’s pattern',
    file: `${openapi}/operation-route.ts`,
    from: 'if (found.template === path) return found',
    to: 'return found',
  },
  {
    what: 'ignores functions that a route has for all methods',
    file: `${frameworks}/express/layers.ts`,
    from: '(layer.method ?? verb) === verb',
    to: 'layer.method === verb',
  },
]

describe('the test with random apps, and mistakes that it must find', { skip }, () => {
  let copy = ''
  before(() => {
    copy = copyLibrary()
  })
  after(() => rmSync(copy, { recursive: true }))

  it('the test with random apps passes for the unchanged secure()', () => {
    assert.equal(passes(copy), true)
  })

  for (const { what, file, from, to } of mistakes) {
    it(`the test with random apps fails if secure() ${what}`, () => {
      const source = readFileSync(join(root, file), 'utf8')
      assert.equal(source.split(from).length, 2, 'the line to change must occur once')

      const planted = source.replace(from, () => to)
      writeFileSync(join(copy, file), planted)
      assert.equal(passes(copy), false)

      writeFileSync(join(copy, file), source)
    })
  }
})

/**
 * Copies the library and the random apps into a temporary folder, which uses the installed packages
 * of this repository.
 */
function copyLibrary(): string {
  const copy = mkdtempSync(join(tmpdir(), 'keystile-planted-'))
  const filter = (path: string): boolean => !path.endsWith('dist')
  for (const path of ['packages/keystile', 'test/openapi'])
    cpSync(join(root, path), join(copy, path), { recursive: true, filter })

  mkdirSync(join(copy, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const target = join(
      name === 'keystile' ? join(copy, 'packages') : join(root, 'node_modules'),
      name,
    )
    symlinkSync(target, join(copy, 'node_modules', name), 'junction')
  }
  return copy
}

/** Returns whether the test of random apps passes, with a few apps from a fixed seed. */
function passes(copy: string): boolean {
  const { NODE_TEST_CONTEXT: _, KEYSTILE_LONG: __, ...env } = process.env
  const args = ['--conditions=source', '--test', 'test/openapi/enforced.test.ts']
  const few = { KEYSTILE_TEST_APPS: '19', KEYSTILE_SEED: '4711' }
  const { status } = spawnSync(process.execPath, args, {
    cwd: copy,
    env: { ...env, ...few },
    timeout: 600_000,
  })
  assert.notEqual(status, null, 'the test did not end in time')
  return status === 0
}
