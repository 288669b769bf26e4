import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import {
  cannotLookInto,
  cannotSay,
  describedMethods,
  hidesParameters,
  methodsOfAll,
  templateOf,
  withoutSlash,
  type AppRoutes,
  type FoundRoute,
  type ListedRoute,
} from '../routes.ts'

interface Match {
  /** The part that was matched. */
  readonly path?: string
  readonly params?: Readonly<Record<string, unknown>>
  /** The one of several paths that matched. Express 4 does not have it. */
  readonly pattern?: unknown
}

interface Layer extends Match {
  readonly name: string
  readonly handle: ((...args: never) => unknown) & { readonly stack?: readonly Layer[] }
  readonly method?: string
  readonly route?: Route
  /** The path that `use` was called with. Express 4 does not keep it. */
  readonly rawPath?: unknown
  /** In Express 4, tells whether the layer is for every path. */
  readonly regexp?: { readonly fast_slash?: boolean }
  /**
   * Express 5 returns the match. Express 4 returns whether it matches, and keeps the match itself.
   */
  match(path: string): boolean | Match
}

interface Route {
  readonly path: unknown
  readonly stack: readonly Layer[]
  readonly methods: Readonly<Record<string, boolean>>
}

/** The members of an Express app that are read. */
export interface ExpressLike {
  readonly router?: unknown
  readonly _router?: unknown
}

interface RouterLike {
  readonly stack: readonly Layer[]
}

export function isExpress(app: object): app is ExpressLike {
  return 'handle' in app
}

function stackOf(app: object): readonly Layer[] {
  // Express 4 throws for `router`. Express 5 makes it at the first access.
  const { _router } = app as { readonly _router?: RouterLike }
  if (_router) return _router.stack
  try {
    return (app as { readonly router?: RouterLike }).router?.stack ?? []
  } catch {
    return []
  }
}

/** Reads the layers of the app's own routers, in the order in which a request passes them. */
export function routesOfExpress(app: ExpressLike): AppRoutes {
  const stack = stackOf(app)
  return {
    byTemplate: false,
    find: (method, path) => walk(stack, method, path, '', []),
    list: (isIgnored) => listOf(stack, '', isIgnored),
  }
}

/** @param prefix of the template; `undefined` if it is unknown */
function walk(
  stack: readonly Layer[],
  method: string,
  path: string,
  prefix: string | undefined,
  guards: GuardMark[],
): FoundRoute | undefined {
  let hasOtherMethods = false
  for (const layer of stack) {
    const matched = layer.match(path)
    if (!matched) continue
    const match = typeof matched === 'object' ? matched : layer
    const { route, handle } = layer
    const template = templateOfMatch(prefix, match.pattern ?? route?.path, match)
    if (route) {
      if (!route.methods['_all'] && !route.methods[method]) hasOtherMethods = true
      if (passRoute(route, method, guards)) return { guards, template }
      continue
    }
    const rest = path.slice(match.path?.length ?? 0)
    // Express skips an expression that ends within a segment, except Express 4 before a dot.
    if ((layer.regexp ? /^[^/.]/ : /^[^/]/).test(rest)) continue
    const mark = findGuardMark(handle)
    if (mark) guards.push(mark)
    else if (layer.name === 'mounted_app') throw cannotLookInto(path)
    else if (handle.stack) {
      const found = walk(handle.stack, method, rest || '/', template, guards)
      if (found) return found
    } else if (handle.length === 2 && !hidesParameters(handle))
      return { guards, template: undefined }
  }
  // A router with routes for other methods answers OPTIONS itself.
  return method === 'options' && hasOtherMethods ? { guards, template: undefined } : undefined
}

/**
 * Whether one of a route's functions answers: the last that is not a guard, or one without `next`.
 * A function for all methods goes on if the route has functions for single methods:
 * `route(…).all(load).get(show)`.
 */
function passRoute({ stack, methods }: Route, method: string, guards: GuardMark[]): boolean {
  const verb = method === 'head' && !methods['head'] ? 'get' : method
  const hasOwn = stack.some((layer) => layer.method !== undefined)
  // A function with four parameters is for errors.
  const layers = stack.filter((layer) => (layer.method ?? verb) === verb && layer.handle.length < 4)
  for (const [index, layer] of layers.entries()) {
    const { length } = layer.handle
    const mark = findGuardMark(layer.handle)
    if (mark) guards.push(mark)
    else if (length === 2 && !hidesParameters(layer.handle)) return true
    // A function with fewer than two parameters may have rest parameters.
    else if (index === layers.length - 1) return layer.method !== undefined || !hasOwn
  }
  return false
}

/** Returns the template of the path up to and including what a layer has matched. */
function templateOfMatch(
  prefix: string | undefined,
  own: unknown,
  match: Match,
): string | undefined {
  const template = (typeof own === 'string' ? templateOf(own) : undefined) ?? nameValues(match)
  return prefix === undefined || template === undefined ? undefined : join(prefix, template)
}

/** Replaces values by names of parameters, because Express 4 does not keep the path of `use`. */
function nameValues({ path = '', params = {} }: Match): string | undefined {
  let template = ''
  let rest = path
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    // Wildcards and groups of expressions have no name, or have a list as their value.
    if (typeof value !== 'string' || /^\d/.test(name)) return undefined
    const text = encodeURIComponent(value)
    const segment = `${rest}/`.indexOf(`/${text}/`)
    const at = segment === -1 ? rest.indexOf(text) : segment + 1
    if (at === -1) return undefined
    template += `${rest.slice(0, at)}{${name}}`
    rest = rest.slice(at + text.length)
  }
  return template + rest
}

/** @param prefix as the app writes it; `undefined` if it is unknown */
function listOf(
  stack: readonly Layer[],
  prefix: string | undefined,
  isIgnored: (path: string) => boolean,
): readonly ListedRoute[] {
  return stack.flatMap((layer): readonly ListedRoute[] => {
    const { route, handle } = layer
    if (route)
      return textsOf(route.path).flatMap((path) => listRoute(route, prefix, path, isIgnored))
    if (layer.name === 'mounted_app') {
      const places = prefixesOf(layer, prefix).map((place) => place ?? 'of an app that is mounted')
      const place = places.find((one) => !isIgnored(one))
      if (place === undefined) return []
      throw cannotSay(place, 'is an app mounted there')
    }
    const { stack: inner } = handle
    return inner ? prefixesOf(layer, prefix).flatMap((one) => listOf(inner, one, isIgnored)) : []
  })
}

function listRoute(
  route: Route,
  prefix: string | undefined,
  own: string,
  isIgnored: (path: string) => boolean,
): readonly ListedRoute[] {
  const path = join(prefix ?? '', own)
  const { _all: all, ...explicit } = route.methods
  const verbs = [...new Set([...(all ? methodsOfAll : []), ...Object.keys(explicit)])]
  // A route that never answers only guards others.
  const answered = verbs.filter((method) => passRoute(route, method, []))
  if (answered.length === 0 || isIgnored(path)) return []
  if (prefix === undefined) {
    throw new Error(
      `the path of the router around ${own} is not known to this Express: use router 2.3 or later (Express 5), or secure(document, app) with a document of your own`,
    )
  }
  const template = templateOf(path)
  if (template === undefined) throw cannotSay(path, 'has a part that OpenAPI cannot say')
  return describedMethods(answered, path).map((method) => ({ method, template }))
}

function prefixesOf(layer: Layer, prefix: string | undefined): readonly (string | undefined)[] {
  if (layer.regexp?.fast_slash) return [prefix]
  if (prefix === undefined || layer.rawPath === undefined) return [undefined]
  return textsOf(layer.rawPath).map((path) => join(prefix, path))
}

/** Returns one path or several. An expression becomes a text that no template has. */
function textsOf(path: unknown): readonly string[] {
  return [path].flat().map((one) => (one instanceof RegExp ? `(${one.source})` : String(one)))
}

function join(prefix: string, path: string): string {
  return withoutSlash(`${prefix}/${path}`.replace(/\/{2,}/g, '/'))
}
