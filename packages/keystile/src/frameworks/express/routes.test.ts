import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import express4 from 'express-4'
import { createTestIssuer } from '../../testing/test-issuer.ts'
import { createGuard } from './guard.ts'
import { isExpress, routesOfExpress } from './routes.ts'

const guard = createGuard({ verifier: createTestIssuer().verifier })
const answer = (_request: unknown, response: { end(): unknown }): void => void response.end()

type Expected = Readonly<Record<string, readonly [template: string | undefined, guards: number]>>

/** Requires that the route of each path has the expected template and number of guards. */
function assertFound(app: object, expected: Expected): void {
  assert.ok(isExpress(app))
  const routes = routesOfExpress(app)
  for (const [path, [template, guards]] of Object.entries(expected)) {
    const found = routes.find('get', path)
    assert.deepEqual([found?.template, found?.guards.length], [template, guards], path)
  }
}

for (const [name, make] of [
  ['5', express],
  ['4', express4],
] as const) {
  describe(`routesOfExpress with Express ${name}`, () => {
    const is5 = make === express

    it(`routesOfExpress (Express ${name}) finds the route of a URL path: /x/{id} for /x/7`, () => {
      const app = make()
      app.get('/', answer)
      app.use('/a', make.Router().get('/', guard(), answer))
      app.get(is5 ? '/x{/:id}' : '/x/:id?', answer)
      app.get(is5 ? '/v{/:id2}' : '/v/:id2?', answer)
      app.get('/value/:any', answer)
      app.get(is5 ? '/files/*path' : '/files/*', answer)
      app.get(/^\/(r\d)$/, answer)
      app.use('/:one/by/:other', make.Router().get('/y', answer))
      app.use('/:from-:to', make.Router().get('/z', answer))
      assertFound(app, {
        '/': ['/', 0],
        '/a': ['/a', 1],
        '/x': ['/x', 0],
        '/x/7': ['/x/{id}', 0],
        '/v/7': ['/v/{id2}', 0],
        '/value/%28': ['/value/{any}', 0],
        '/files/a': [undefined, 0],
        '/r1': [undefined, 0],
        '/1/by/1/y': ['/{one}/by/{other}/y', 0],
        '/a%20b/by/c/y': ['/{one}/by/{other}/y', 0],
        '/a-b/z': ['/{from}-{to}/z', 0],
        '/aa-a/z': ['/{from}-{to}/z', 0],
      })
    })

    it(`routesOfExpress (Express ${name}) applies a guard at RegExp ^/a to /a/b, not /ab`, () => {
      const app = make()
      app.use(/^\/a/, guard())
      for (const path of ['/ab', '/a.json', '/a/b']) app.get(path, answer)
      assertFound(app, {
        '/ab': ['/ab', 0],
        '/a.json': ['/a.json', is5 ? 0 : 1],
        '/a/b': ['/a/b', 1],
      })
    })

    it(`routesOfExpress (Express ${name}) finds guards after handlers with rest parameters`, () => {
      type Next = () => void
      const goOn = (_request: unknown, _response: unknown, ...rest: readonly Next[]): void =>
        rest[0]?.()
      const app = make()
      app.use(goOn as never)
      app.get('/x', goOn as never, guard(), answer)
      assertFound(app, { '/x': ['/x', 1] })
    })

    it(`routesOfExpress (Express ${name}) distinguishes methods, throws for mounted apps`, () => {
      const app = make()
      app.put('/x', answer)
      app.use('/foreign', make())
      const routes = routesOfExpress(app)
      assert.equal(routes.find('get', '/x'), undefined)
      assert.throws(() => routes.find('get', '/foreign/x'), /a mounted app answers \/foreign\/x,/)
    })

    it(`routesOfExpress (Express ${name}) finds guards but no route for app.use('/x')`, () => {
      const app = make()
      app.use(guard())
      app.use('/x', answer)
      assertFound(app, { '/x': [undefined, 1] })
    })
  })
}
