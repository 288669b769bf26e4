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
  /** Of several paths, the one that matched; Express 4 does not say. */
  readonly pattern?: unknown
}

interface Layer extends Match {
  readonly name: string
  readonly handle: ((...args: never) => unknown) & { readonly stack?: readonly Layer[] }
  readonly method?: string
  readonly route?: Route
  /** What `use` was called with; Express 4 does not keep it. */
  readonly rawPath?: unknown
  /** Express 4: a way to see that the layer is for every path. */
  readonly regexp?: { readonly fast_slash?: boolean }
  /** Express 5 gives what was matched; Express 4 says whether, and keeps the rest in the layer. */
  match(path: string): boolean | Match
}

interface Route {
  readonly path: unknown
  readonly stack: readonly Layer[]
  readonly methods: Readonly<Record<string, boolean>>
}

/** What we read of an Express app. */
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
  // Express 4 throws for `router`; Express 5 makes one when it is first asked for.
  const { _router } = app as { readonly _router?: RouterLike }
  if (_router) return _router.stack
  try {
    return (app as { readonly router?: RouterLike }).router?.stack ?? []
  } catch {
    return []
  }
}

/** Asks the layers of the app's own routers, in the order in which a request passes them. */
export function routesOfExpress(app: ExpressLike): AppRoutes {
  const stack = stackOf(app)
  return {
    byTemplate: false,
    find: (method, path) => walk(stack, method, path, '', []),
    list: (isIgnored) => listOf(stack, '', isIgnored),
  }
}

/** @param prefix of the template, `undefined` where it is not known any more */
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
    const rest = path.slice(match.path!.length)
    // An expression that ends within a segment: Express passes it over, but Express 4 not before a dot.
    if ((layer.regexp ? /^[^/.]/ : /^[^/]/).test(rest)) continue
    const mark = findGuardMark(handle)
    if (mark) guards.push(mark)
    else if (layer.name === 'mounted_app') throw cannotLookInto(path)
    else if (handle.stack) {
      const found = walk(handle.stack, method, rest || '/', template, guards)
      if (found) return found
    } else if (handle.length === 2 && !hidesParameters(handle)) return { guards, template: undefined }
  }
  // A router with routes for other methods answers OPTIONS by itself, before what comes after it.
  return method === 'options' && hasOtherMethods ? { guards, template: undefined } : undefined
}

/**
 * Whether one of a route's functions answers: the last that is not a guard, or one that takes no `next`. What is there
 * for all methods goes on where there are methods of their own: `route(…).all(load).get(show)`.
 */
function passRoute({ stack, methods }: Route, method: string, guards: GuardMark[]): boolean {
  const verb = method === 'head' && !methods['head'] ? 'get' : method
  const hasOwn = stack.some((layer) => layer.method !== undefined)
  // What takes four is for errors.
  const layers = stack.filter((layer) => (layer.method ?? verb) === verb && layer.handle.length < 4)
  for (const [index, layer] of layers.entries()) {
    const { length } = layer.handle
    const mark = findGuardMark(layer.handle)
    if (mark) guards.push(mark)
    else if (length === 2 && !hidesParameters(layer.handle)) return true
    // One that takes fewer than two may take the rest of its arguments unseen.
    else if (index === layers.length - 1) return layer.method !== undefined || !hasOwn
  }
  return false
}

/** What OpenAPI calls the part of a path that a layer has matched, behind that of the layers around it. */
function templateOfMatch(prefix: string | undefined, own: unknown, match: Match): string | undefined {
  const template = (typeof own === 'string' ? templateOf(own) : undefined) ?? nameValues(match)
  return prefix === undefined || template === undefined ? undefined : join(prefix, template)
}

/** A path with the names of parameters in place of their values: Express 4 does not keep what `use` was called with. */
function nameValues({ path = '', params = {} }: Match): string | undefined {
  let template = ''
  let rest = path
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    // Wildcards and groups of expressions have no name, or a list as their value.
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

/** @param prefix in Express's own words, `undefined` where they are not known */
function listOf(
  stack: readonly Layer[],
  prefix: string | undefined,
  isIgnored: (path: string) => boolean,
): readonly ListedRoute[] {
  return stack.flatMap((layer): readonly ListedRoute[] => {
    const { route, handle } = layer
    if (route) return textsOf(route.path).flatMap((path) => listRoute(route, prefix, path, isIgnored))
    if (layer.name === 'mounted_app') {
      const places = prefixesOf(layer, prefix).map((place) => place ?? 'of an app that is mounted')
      const place = places.find((one) => !isIgnored(one))
      if (place === undefined) return []
      throw cannotSay(place, 'is an app mounted there')
    }
    return handle.stack ? prefixesOf(layer, prefix).flatMap((one) => listOf(handle.stack!, one, isIgnored)) : []
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
  // Without an answer a route is nothing but a way to guard.
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

/** One path or several; an expression in words that templates do not have. */
function textsOf(path: unknown): readonly string[] {
  return [path].flat().map((one) => (one instanceof RegExp ? `(${one.source})` : String(one)))
}

function join(prefix: string, path: string): string {
  return withoutSlash(`${prefix}/${path}`.replace(/\/{2,}/g, '/'))
}
