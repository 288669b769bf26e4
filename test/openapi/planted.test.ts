// Whether the random apps see anything: mistakes in how guards are found, each of which has to turn them red.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { copyTree, type Copy } from '../../tools/mutate-copies.ts'

const root = join(import.meta.dirname, '../..')
const isLong = Boolean(process.env['KEYSTILE_LONG'])

interface Mistake {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const folder = 'packages/keystile/src/openapi'
const mistakes: readonly Mistake[] = [
  {
    what: 'forgets that nobody may come in as well where all guards are optional',
    file: `${folder}/secure.ts`,
    from: '...(optional ? [{}] : [])',
    to: '',
  },
  {
    what: 'takes the last of several guards instead of all together',
    file: `${folder}/secure.ts`,
    from: 'before ? joinDemands(before, demand) : demand',
    to: 'demand',
  },
  {
    what: 'takes guards behind the function that answers',
    file: `${folder}/hono-routes.ts`,
    from: 'if (length === 1) return true',
    to: '',
  },
  {
    what: 'forgets that HEAD is answered by GET',
    file: `${folder}/hono-routes.ts`,
    from: "method === 'head' ? 'GET' : method.toUpperCase()",
    to: 'method.toUpperCase()',
  },
  {
    what: 'takes a guard for later routes to be one for all',
    file: `${folder}/express-routes.ts`,
    from: 'for (const layer of stack) {\n    const matched',
    to: 'for (const layer of stack.toSorted((a, b) => Number(!!a.route) - Number(!!b.route))) {\n    const matched',
  },
  {
    what: 'knows the guards of a route but not those around it',
    file: `${folder}/fastify-routes.ts`,
    from: '[inherited[phase], options[phase]]',
    to: '[options[phase]]',
  },
  {
    what: 'takes the first route that a parameter leads to, whatever its pattern',
    file: `${folder}/secure.ts`,
    from: 'if (found.template === path) return found',
    to: 'return found',
  },
  {
    what: 'forgets functions for all methods of a route',
    file: `${folder}/express-routes.ts`,
    from: '(layer.method ?? verb) === verb',
    to: 'layer.method === verb',
  },
]

describe('the random apps', () => {
  let copy: Copy
  before(() => {
    // A few suffice, and the same ones each time.
    copy = copyTree(root, { KEYSTILE_TEST_APPS: '19', KEYSTILE_SEED: '4711' })
  })
  after(() => copy.remove())

  const test = (): Promise<string> => copy.test(['test/openapi/enforced.test.ts'], 100)

  if (isLong) {
    it('are as their documents say when nothing is planted', async () => {
      assert.equal(await test(), 'passed')
    })
  }

  for (const { what, file, from, to } of isLong ? mistakes : mistakes.slice(0, 1)) {
    it(`turn red when secure ${what}`, async () => {
      const source = readFileSync(join(root, file), 'utf8')
      assert.equal(source.split(from).length, 2, 'the line to change is there once')
      copy.write(
        file,
        source.replace(from, () => to),
      )
      assert.equal(await test(), 'failed')
      copy.write(file, source)
    })
  }
})
