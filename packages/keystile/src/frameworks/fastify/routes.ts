import { routesOf, type RememberedRoute } from './remembered-routes.ts'
import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import { cannotSay, describedMethods, namelessOf, shapeOf, templateOf, type AppRoutes } from '../routes.ts'

type App = Parameters<typeof routesOf>[0]

/** In the order in which Fastify runs them. */
const phases = ['onRequest', 'preValidation', 'preHandler'] as const

export function isFastify(app: object): app is App {
  return 'addHook' in app
}

/** Reads the routes that were remembered as they were registered, and the hooks of the places where they were. */
export function routesOfFastify(app: App): AppRoutes {
  const routes = routesOf(app)
  if (!routes)
    throw new Error(
      'the routes of this Fastify app are not known: await app.register(documentRoutes), or mount(…), before them',
    )
  // Until then hooks are not where they belong.
  const state = findHidden(app, 'fastify.state') as { readonly ready?: boolean } | undefined
  if (!state?.ready) throw new Error('the guards of a Fastify app are known when it is ready: await app.ready() before')
  return {
    byTemplate: true,
    find(method, template) {
      const ofMethod = routes.filter(({ options }) => methodsOf(options).includes(method))
      const likenesses: readonly ((url: string) => string)[] = [(url) => url, namelessOf, shapeOf]
      const found =
        likenesses
          .map((like) => ofMethod.filter(({ url }) => like(writtenOf(url)) === like(template)))
          .find((alike) => alike.length > 0) ?? []
      const guards = found.map(guardsOf)
      if (guards.some((list) => !areAlike(list, guards[0]!)))
        throw new Error(
          `routes for ${method.toUpperCase()} ${template} differ in their guards, and a document has one place for them`,
        )
      return guards[0] && { guards: guards[0], template: writtenOf(found[0]!.url) }
    },
    list(isIgnored) {
      return routes
        .filter((route) => !isIgnored(route.url) && !isHeadOfGet(route, routes))
        .flatMap(({ url, options }) => {
          const template = fastifyTemplateOf(url)
          if (template === undefined) throw cannotSay(url, 'has a part that OpenAPI cannot say')
          return describedMethods(methodsOf(options), url).map((method) => ({ method, template }))
        })
    },
  }
}

/** A HEAD as Fastify adds it to each GET says nothing new. */
function isHeadOfGet(route: RememberedRoute, routes: readonly RememberedRoute[]): boolean {
  if (route.options.method !== 'HEAD') return false
  const get = routes.find(({ url, options }) => url === route.url && methodsOf(options).includes('get'))
  return get !== undefined && areAlike(guardsOf(get), guardsOf(route))
}

function areAlike(left: readonly GuardMark[], right: readonly GuardMark[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

function guardsOf({ options, instance }: RememberedRoute): readonly GuardMark[] {
  const inherited = hooksOf(instance)
  return phases
    .flatMap((phase) => [inherited[phase], options[phase]].flat())
    .map(findGuardMark)
    .filter((mark) => mark !== undefined)
}

function hooksOf(instance: object): Readonly<Record<string, readonly unknown[]>> {
  const hooks = findHidden(instance, 'fastify.hooks')
  if (!hooks) throw new Error('this version of Fastify keeps its hooks elsewhere: guards of plugins cannot be seen')
  return hooks as Readonly<Record<string, readonly unknown[]>>
}

/** Fastify has no public way to what an instance consists of. */
function findHidden(instance: object, name: string): unknown {
  for (let at: object | null = instance; at; at = Object.getPrototypeOf(at) as object | null) {
    const symbol = Object.getOwnPropertySymbols(at).find(({ description }) => description === name)
    if (symbol) return (at as Record<symbol, unknown>)[symbol]
  }
  return undefined
}

function methodsOf({ method }: RememberedRoute['options']): readonly string[] {
  return [method].flat().map((name) => name.toLowerCase())
}

/** @returns `undefined` for what OpenAPI cannot say */
function fastifyTemplateOf(url: string): string | undefined {
  // Two colons are one that begins no parameter.
  return templateOf(url.replaceAll('::', '\0'))?.replaceAll('\0', ':')
}

/** How @fastify/swagger writes a path, whatever OpenAPI can say. */
function writtenOf(url: string): string {
  return fastifyTemplateOf(url) ?? url.replace('*', '{*}').replace(/:(\w+)/g, '{$1}')
}
