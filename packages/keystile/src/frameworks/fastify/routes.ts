// Reads the routes and guards of a Fastify app, for OpenAPI documents.
import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import { namelessOf, shapeOf, templateOf } from '../path-templates.ts'
import { cannotDescribe, describedMethods, type AppRoutes } from '../routes.ts'
import {
  recordedRoutesOf,
  type FastifyLike,
  type RecordedRoute,
  type RouteOptions,
} from './recorded-routes.ts'

/** The hooks that can hold guards, in the order of their execution. */
const phases = ['onRequest', 'preValidation', 'preHandler'] as const

export function isFastify(app: object): app is FastifyLike {
  return 'addHook' in app
}

/**
 * Reads the recorded routes of a Fastify app, and the hooks of their plugins.
 *
 * @throws {Error} if the routes were not recorded, or the app is not ready
 */
export function routesOfFastify(app: FastifyLike): AppRoutes {
  const routes = recordedRoutesOf(app)
  if (!routes) {
    throw new Error(
      'the routes of this Fastify app are unknown: ' +
        'call await app.register(documentRoutes), or register mount(…), before the routes',
    )
  }

  // Before the app is ready, Fastify has not registered all hooks yet.
  const state = findHidden(app, 'fastify.state') as { readonly ready?: boolean } | undefined
  if (!state?.ready) {
    throw new Error(
      'this Fastify app is not ready, so its guards are unknown: await app.ready() first',
    )
  }

  return {
    byTemplate: true,
    find(method, template) {
      const ofMethod = routes.filter(({ options }) => methodsOf(options).includes(method))
      const found = findByTemplate(ofMethod, template)
      const [first] = found
      if (!first) return undefined

      const guards = guardsOf(first)
      if (found.some((route) => !areAlike(guardsOf(route), guards))) {
        throw new Error(
          `several routes for ${method.toUpperCase()} ${template} have different guards, ` +
            'but a document has one operation for all of them: give them the same guards',
        )
      }
      return { guards, template: writtenOf(first.url) }
    },
    list(isIgnored) {
      return routes
        .filter((route) => !isIgnored(route.url) && !isHeadOfGet(route, routes))
        .flatMap(({ url, options }) => {
          const template = fastifyTemplateOf(url)
          if (template === undefined) {
            throw cannotDescribe(url, 'has a part that OpenAPI cannot describe')
          }
          return describedMethods(methodsOf(options), url).map((method) => ({ method, template }))
        })
    },
  }
}

/**
 * Returns the routes with a template. First compares the whole templates. If none matches, ignores
 * the names of parameters. If still none matches, also ignores a slash at the end.
 */
function findByTemplate(
  routes: readonly RecordedRoute[],
  template: string,
): readonly RecordedRoute[] {
  for (const comparable of [(url: string) => url, namelessOf, shapeOf]) {
    const found = routes.filter(({ url }) => comparable(writtenOf(url)) === comparable(template))
    if (found.length > 0) return found
  }
  return []
}

/** Whether a route is a HEAD route that Fastify itself has added to a GET route. */
function isHeadOfGet(route: RecordedRoute, routes: readonly RecordedRoute[]): boolean {
  if (route.options.method !== 'HEAD') return false
  const get = routes.find(
    ({ url, options }) => url === route.url && methodsOf(options).includes('get'),
  )
  return get !== undefined && areAlike(guardsOf(get), guardsOf(route))
}

function areAlike(left: readonly GuardMark[], right: readonly GuardMark[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

/** Returns the guards of a route and its plugins, in the order of their execution. */
function guardsOf({ options, instance }: RecordedRoute): readonly GuardMark[] {
  const inherited = hooksOf(instance)
  return phases
    .flatMap((phase) => [inherited[phase], options[phase]].flat())
    .map(findGuardMark)
    .filter((mark) => mark !== undefined)
}

/**
 * Returns the hooks of a Fastify instance.
 *
 * @throws {Error} if this version of Fastify has no hidden member with the hooks
 */
function hooksOf(instance: object): Readonly<Record<string, readonly unknown[]>> {
  const hooks = findHidden(instance, 'fastify.hooks')
  if (!hooks) {
    throw new Error(
      'Keystile cannot read the hooks of this version of Fastify, so the guards are unknown: ' +
        'use a version that Keystile supports',
    )
  }
  return hooks as Readonly<Record<string, readonly unknown[]>>
}

/**
 * Returns a hidden member of an instance, by the name of the member's symbol. Fastify has no public
 * API for this member.
 */
function findHidden(instance: object, name: string): unknown {
  for (let at: object | null = instance; at; at = Reflect.getPrototypeOf(at)) {
    const symbol = Object.getOwnPropertySymbols(at).find(({ description }) => description === name)
    if (symbol) return Reflect.get(at, symbol)
  }
  return undefined
}

function methodsOf({ method }: RouteOptions): readonly string[] {
  return [method].flat().map((name) => name.toLowerCase())
}

/** Returns the template of a URL; `undefined` if OpenAPI cannot describe it. */
function fastifyTemplateOf(url: string): string | undefined {
  // In Fastify, two colons stand for one colon that does not begin a parameter.
  return templateOf(url.replaceAll('::', '\0'))?.replaceAll('\0', ':')
}

/** Returns a URL as @fastify/swagger writes it, even if OpenAPI cannot describe it. */
function writtenOf(url: string): string {
  return fastifyTemplateOf(url) ?? url.replace('*', '{*}').replace(/:(\w+)/g, '{$1}')
}
