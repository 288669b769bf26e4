// Builds the app that app.ts describes, of handlers over a web Request.
import { createGuard } from 'keystile/web'
import type { MakeFetch } from './app.ts'

type Handler = (request: Request) => Response | Promise<Response>

export const makeWebApp: MakeFetch = ({ options, verified, answer, fail }) => {
  const guard = createGuard(options)
  const json = (body: unknown, status = 200): Response => Response.json(body, { status })
  const area = guard('items:read')
  const lounge = guard.optional()
  const routes: Readonly<Record<string, Handler>> = {
    '/items': guard('items:read')((_request, caller) => json(answer('items', caller))),
    '/items/new': guard('items:write')((_request, caller) => json(answer('items/new', caller))),
    '/any': guard.anyOf('items:write', ['items:read', 'items:list'])((_request, caller) =>
      json(answer('any', caller)),
    ),
    '/me': guard()((request) => json(answer('me', guard.caller(request)))),
    '/news': guard.optional()((_request, caller) => json(answer('news', caller))),
    '/news/strict': guard.optional()((request) =>
      json(answer('news/strict', guard.caller(request))),
    ),
    '/recent': guard({ scopes: ['items:read'], maxAgeSeconds: 300 })((_request, caller) =>
      json(answer('recent', caller)),
    ),
    '/strong': guard({ acr: 'mfa' })((_request, caller) => json(answer('strong', caller))),
    '/verified': guard(...verified)((_request, caller) => json(answer('verified', caller))),
    '/verified/any': guard.anyOf('items:write', ['items:read', 'items:list'])(
      guard(...verified)((_request, caller) => json(answer('verified/any', caller))),
    ),
    '/verified/news': guard.optional(...verified)((_request, caller) =>
      json(answer('verified/news', caller)),
    ),
    '/secret': guard()(() => json(answer('secret', undefined))),
    '/open': (request) => json(answer('open', guard.caller(request))),
    '/throws': guard()(() => {
      throw new Error('inside')
    }),
    '/parsed/after': guard()(async (request, caller) =>
      json(answer('parsed/after', caller, await request.json())),
    ),
    // A body can be read only once, so the parser passes on what it parsed.
    '/parsed/before': async (request) => {
      const guarded = guard()((_request, caller, body: unknown) =>
        json(answer('parsed/before', caller, body)),
      )
      return guarded(request, await request.json())
    },
    '/area/read': area((_request, caller) => json(answer('area/read', caller))),
    '/area/write': area(
      guard('items:write')((_request, caller) => json(answer('area/write', caller))),
    ),
    '/area/recent': area(
      guard({ maxAgeSeconds: 300 })((_request, caller) => json(answer('area/recent', caller))),
    ),
    '/area/strong': area(
      guard({ acr: 'mfa', maxAgeSeconds: 300 })((_request, caller) =>
        json(answer('area/strong', caller)),
      ),
    ),
    '/area/news': area(guard.optional()((_request, caller) => json(answer('area/news', caller)))),
    '/area/verified': area(
      guard(...verified)((_request, caller) => json(answer('area/verified', caller))),
    ),
    '/lounge/anybody': lounge((_request, caller) => json(answer('lounge/anybody', caller))),
    '/lounge/members': lounge(
      guard()((_request, caller) => json(answer('lounge/members', caller))),
    ),
  }
  return async (request) => {
    try {
      return (await routes[new URL(request.url).pathname]?.(request)) ?? json({}, 404)
    } catch (error) {
      return json(fail(error), 500)
    }
  }
}
