import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { mock } from 'node:test'
import { createGuard, mount, type NodeMiddleware } from 'keystile/node'
import type { Answered, MakeApp } from './app.ts'
import { describeMount } from './mounted.ts'
import { describeGuards } from './suite.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

const makeApp: MakeApp = ({ options, verified, answer, fail }) => {
  // Without a framework, an error that the app throws is printed.
  mock.method(console, 'error', fail)
  const guard = createGuard(options)
  const send =
    (value: (request: IncomingMessage) => Answered | Promise<Answered>): Handler =>
    async (request, response) => {
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(await value(request)))
    }
  /** Runs one guard after the other, then the handler. */
  const behind =
    (guards: readonly NodeMiddleware[], handler: Handler): Handler =>
    (request, response) => {
      const [first, ...others] = guards
      if (!first) return handler(request, response)
      return first(request, response, () => behind(others, handler)(request, response))
    }
  const parsed = new WeakMap<IncomingMessage, unknown>()
  const parse: NodeMiddleware = async (request, _response, next) => {
    parsed.set(request, await json(request))
    await next()
  }
  const area = guard('items:read')
  const lounge = guard.optional()
  const caller = guard.caller
  const routes: Readonly<Record<string, Handler>> = {
    '/items': behind(
      [guard('items:read')],
      send((request) => answer('items', caller(request))),
    ),
    '/items/new': behind(
      [guard('items:write')],
      send((request) => answer('items/new', caller(request))),
    ),
    '/any': behind(
      [guard.anyOf('items:write', ['items:read', 'items:list'])],
      send((request) => answer('any', caller(request))),
    ),
    '/me': behind(
      [guard()],
      send((request) => answer('me', caller(request))),
    ),
    '/news': behind(
      [guard.optional()],
      send((request) => answer('news', guard.optional.caller(request))),
    ),
    '/news/strict': behind(
      [guard.optional()],
      send((request) => answer('news/strict', caller(request))),
    ),
    '/recent': behind(
      [guard({ scopes: ['items:read'], maxAgeSeconds: 300 })],
      send((request) => answer('recent', caller(request))),
    ),
    '/strong': behind(
      [guard({ acr: 'mfa' })],
      send((request) => answer('strong', caller(request))),
    ),
    '/verified': behind(
      [guard(...verified)],
      send((request) => answer('verified', caller(request))),
    ),
    '/verified/any': behind(
      [guard.anyOf('items:write', ['items:read', 'items:list']), guard(...verified)],
      send((request) => answer('verified/any', caller(request))),
    ),
    '/verified/news': behind(
      [guard.optional(...verified)],
      send((request) => answer('verified/news', guard.optional.caller(request))),
    ),
    '/secret': behind(
      [guard()],
      send(() => answer('secret', undefined)),
    ),
    '/open': async (request, response) => {
      try {
        await send((request) => answer('open', caller(request)))(request, response)
      } catch (error) {
        response.writeHead(500).end(JSON.stringify(fail(error)))
      }
    },
    '/throws': behind([guard()], () => {
      throw new Error('inside')
    }),
    '/parsed/after': behind(
      [guard(), parse],
      send((request) => answer('parsed/after', caller(request), parsed.get(request))),
    ),
    '/parsed/before': behind(
      [parse, guard()],
      send((request) => answer('parsed/before', caller(request), parsed.get(request))),
    ),
    '/area/read': behind(
      [area],
      send((request) => answer('area/read', caller(request))),
    ),
    '/area/write': behind(
      [area, guard('items:write')],
      send((request) => answer('area/write', caller(request))),
    ),
    '/area/recent': behind(
      [area, guard({ maxAgeSeconds: 300 })],
      send((request) => answer('area/recent', caller(request))),
    ),
    '/area/strong': behind(
      [area, guard({ acr: 'mfa', maxAgeSeconds: 300 })],
      send((request) => answer('area/strong', caller(request))),
    ),
    '/area/news': behind(
      [area, guard.optional()],
      send((request) => answer('area/news', guard.optional.caller(request))),
    ),
    '/area/verified': behind(
      [area, guard(...verified)],
      send((request) => answer('area/verified', caller(request))),
    ),
    '/lounge/anybody': behind(
      [lounge],
      send((request) => answer('lounge/anybody', guard.optional.caller(request))),
    ),
    '/lounge/members': behind(
      [lounge, guard()],
      send((request) => answer('lounge/members', caller(request))),
    ),
  }
  return (request, response) => {
    const handler = routes[request.url!.split('?')[0]!]
    if (handler) handler(request, response)
    else response.writeHead(404).end()
  }
}

describeGuards('node:http', makeApp)

describeMount('node:http', {
  'before everything': (keystile) => {
    const guard = createGuard(keystile)
    const auth = mount(keystile)
    const reader = guard('items:read')
    const respond = (response: ServerResponse, status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    return (request, response) =>
      void auth(request, response, async () => {
        if (request.url === '/items')
          return reader(request, response, () =>
            respond(response, 200, { owner: guard.caller(request).user.username }),
          )
        if (request.url === '/echo') return respond(response, 200, await json(request))
        if (request.url === '/auth/own') return respond(response, 200, { own: true })
        return respond(response, 404, { missing: true })
      })
  },
})
