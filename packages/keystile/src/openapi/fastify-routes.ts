import { routesOf, type RememberedRoute } from '../adapters/fastify-routes.ts'
import { findGuardMark, type GuardMark } from '../guard/guard-mark.ts'
import { cannotSay, templateOf, type AppRoutes } from './routes.ts'

type App = Parameters<typeof routesOf>[0]

/** In the order in which Fastify runs them. */
const phases = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

export function isFastify(app: object): app is App {
  return 'addHook' in app && 'server' in app && 'ready' in app
}

/** Reads the routes that were remembered as they were registered, and the hooks of the places where they were. */
export function routesOfFastify(app: App): AppRoutes {
  const routes = routesOf(app)
  if (!routes)
    throw new Error('the routes of this Fastify app are not known: register documentRoutes, or mount(…), before them')
  return {
    byTemplate: true,
    find(method, template) {
      const ofMethod = routes.filter(({ options }) => methodsOf(options).includes(method.toLowerCase()))
      const exact = ofMethod.filter(({ url }) => (templateOf(url) ?? wildcardTemplateOf(url)) === template)
      const similar = ofMethod.filter(({ url }) => sameShape(templateOf(url) ?? wildcardTemplateOf(url), template))
      const guards = (exact.length > 0 ? exact : similar).map(guardsOf)
      if (guards.some((list) => JSON.stringify(list) !== JSON.stringify(guards[0])))
        throw new Error(
          `routes for ${method} ${template} differ in their guards, and a document has one place for them`,
        )
      return guards[0] && { guards: guards[0], template }
    },
    list(isIgnored) {
      return routes
        .filter(({ url }) => !isIgnored(url))
        .flatMap(({ url, options }) => {
          const template = templateOf(url)
          if (template === undefined) throw cannotSay(url, 'has a part that OpenAPI cannot say')
          // Fastify adds a HEAD to each GET: it says nothing new.
          return methodsOf(options)
            .filter((method) => method !== 'head')
            .map((method) => ({ method, template }))
        })
    },
  }
}

function guardsOf({ options, instance }: RememberedRoute): readonly GuardMark[] {
  const inherited = hooksOf(instance)
  return phases
    .flatMap((phase) => [inherited[phase], options[phase]].flat())
    .map(findGuardMark)
    .filter((mark) => mark !== undefined)
}

/** Fastify has no public way to the hooks of an instance. */
function hooksOf(instance: object): Readonly<Record<string, readonly unknown[]>> {
  for (let at: object | null = instance; at; at = Object.getPrototypeOf(at) as object | null) {
    const symbol = Object.getOwnPropertySymbols(at).find(({ description }) => description === 'fastify.hooks')
    if (symbol) return (at as Record<symbol, Readonly<Record<string, readonly unknown[]>>>)[symbol]!
  }
  throw new Error('this version of Fastify keeps its hooks elsewhere: guards of plugins cannot be seen')
}

function methodsOf({ method }: RememberedRoute['options']): readonly string[] {
  return [method].flat().map((name) => name.toLowerCase())
}

/** How @fastify/swagger writes a wildcard. */
function wildcardTemplateOf(url: string): string {
  return url.replace(/\*$/, '{*}').replace(/:(\w+)/g, '{$1}')
}

function sameShape(left: string, right: string): boolean {
  const shape = (template: string): string => template.replace(/\{[^}]*\}/g, '{}')
  return shape(left) === shape(right)
}
