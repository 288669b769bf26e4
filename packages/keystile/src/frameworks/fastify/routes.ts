import { rememberedRoutesOf, type RememberedRoute } from './remembered-routes.ts'
import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import {
  cannotSay,
  describedMethods,
  namelessOf,
  shapeOf,
  templateOf,
  type AppRoutes,
} from '../routes.ts'

type App = Parameters<typeof rememberedRoutesOf>[0]

/** In the order in which Fastify runs them. */
const phases = ['onRequest', 'preValidation', 'preHandler'] as const

export function isFastify(app: object): app is App {
  return 'addHook' in app
}

/** Reads the routes that were remembered at their registration, and the hooks of their plugins. */
export function routesOfFastify(app: App): AppRoutes {
  const routes = rememberedRoutesOf(app)
  if (!routes)
    throw new Error(
      'the routes of this Fastify app are not known: await app.register(documentRoutes), or mount(…), before them',
    )
  // Before that, the hooks are not in their places yet.
  const state = findHidden(app, 'fastify.state') as { readonly ready?: boolean } | undefined
  if (!state?.ready)
    throw new Error(
      'the guards of a Fastify app are known when it is ready: await app.ready() before',
    )
  return {
    byTemplate: true,
    find(method, template) {
      const ofMethod = routes.filter(({ options }) => methodsOf(options).includes(method))
      const likenesses: readonly ((url: string) => string)[] = [(url) => url, namelessOf, shapeOf]
      const found =
        likenesses
          .map((like) => ofMethod.filter(({ url }) => like(writtenOf(url)) === like(template)))
          .find((alike) => alike.length > 0) ?? []
      const [first] = found
      if (!first) return undefined
      const guards = guardsOf(first)
      if (found.some((route) => !areAlike(guardsOf(route), guards)))
        throw new Error(
          `routes for ${method.toUpperCase()} ${template} differ in their guards, and a document has one place for them`,
        )
      return { guards, template: writtenOf(first.url) }
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

/** Whether a HEAD is the one that Fastify adds to each GET. */
function isHeadOfGet(route: RememberedRoute, routes: readonly RememberedRoute[]): boolean {
  if (route.options.method !== 'HEAD') return false
  const get = routes.find(
    ({ url, options }) => url === route.url && methodsOf(options).includes('get'),
  )
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
  if (!hooks)
    throw new Error(
      'this version of Fastify keeps its hooks elsewhere: guards of plugins cannot be seen',
    )
  return hooks as Readonly<Record<string, readonly unknown[]>>
}

/** Finds a hidden member of an instance. Fastify has no public way to it. */
function findHidden(instance: object, name: string): unknown {
  for (let at: object | null = instance; at; at = Reflect.getPrototypeOf(at)) {
    const symbol = Object.getOwnPropertySymbols(at).find(({ description }) => description === name)
    if (symbol) return Reflect.get(at, symbol)
  }
  return undefined
}

function methodsOf({ method }: RememberedRoute['options']): readonly string[] {
  return [method].flat().map((name) => name.toLowerCase())
}

/** Returns the template of a URL; `undefined` if OpenAPI cannot describe it. */
function fastifyTemplateOf(url: string): string | undefined {
  // Fastify writes a colon that begins no parameter as two.
  return templateOf(url.replaceAll('::', '\0'))?.replaceAll('\0', ':')
}

/** Writes a path as @fastify/swagger does, even one that OpenAPI cannot describe. */
function writtenOf(url: string): string {
  return fastifyTemplateOf(url) ?? url.replace('*', '{*}').replace(/:(\w+)/g, '{$1}')
}
