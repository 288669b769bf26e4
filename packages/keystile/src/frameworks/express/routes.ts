// Reads the routes and guards of an Express 4 or 5 app from the layers of its routers. Express has
// no public interface for reading routes.
import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import { templateOf, withoutSlash } from '../path-templates.ts'
import {
  cannotDescribe,
  cannotLookInto,
  describedMethods,
  hidesParameters,
  methodsOfAll,
  type AppRoutes,
  type FoundRoute,
  type ListedRoute,
} from '../routes.ts'

/** An app of Express. The types of its members differ between the versions of Express. */
export interface ExpressLike {
  readonly router?: unknown
  readonly _router?: unknown
}

interface Router {
  readonly stack: readonly Layer[]
}

interface Match {
  readonly path: string
  readonly params: Readonly<Record<string, unknown>>
  /** The path pattern that matched, for a layer with several patterns. Missing in Express 4. */
  readonly pattern?: unknown
}

/** One entry of a router: a function, a route or another router, with its path. */
interface Layer extends Match {
  readonly name: string
  readonly handle: ((...args: never) => unknown) & { readonly stack?: readonly Layer[] }
  readonly method?: string
  readonly route?: Route
  /** The path argument of `use`. Express 4 does not keep it. */
  readonly rawPath?: unknown
  /** Only in Express 4. `fast_slash` is true if the layer is for every path. */
  readonly regexp?: { readonly fast_slash?: boolean }
  /**
   * Express 5 returns the match. Express 4 returns a boolean, and stores the match in the layer.
   */
  match(path: string): boolean | Match
}

interface Route {
  readonly path: unknown
  readonly stack: readonly Layer[]
  readonly methods: Readonly<Record<string, boolean>>
}

/** Whether an app is an Express app. An Express app has a member `handle`. */
export function isExpress(app: object): app is ExpressLike {
  return 'handle' in app
}

/** Reads the routes of an Express app from its layers, in the order of the layers. */
export function routesOfExpress(app: ExpressLike): AppRoutes {
  const stack = stackOf(app)
  return {
    byTemplate: false,
    find: (method, path) => walk(stack, method, path, '', []),
    list: (isIgnored) => listOf(stack, '', isIgnored),
  }
}

/** Returns the layers of the app's router; none if the app has no route yet. */
function stackOf(app: object): readonly Layer[] {
  // Reading `router` throws in Express 4. Express 5 creates the router at the first access.
  const { _router } = app as { readonly _router?: Router }
  if (_router) return _router.stack
  try {
    return (app as { readonly router: Router }).router.stack
  } catch {
    return []
  }
}

/**
 * Follows a request through the layers, and collects the guards that it passes.
 *
 * @param prefix the template of the routers around these layers; `undefined` if it is unknown
 * @param guards the guards that were found so far. `walk` appends to this list
 */
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

    const rest = path.slice(match.path.length)
    // Express skips a layer whose match ends within a path segment. Express 4 accepts a dot there.
    if ((layer.regexp ? /^[^/.]/ : /^[^/]/).test(rest)) continue

    const mark = findGuardMark(handle)
    if (mark) guards.push(mark)
    else if (layer.name === 'mounted_app') throw cannotLookInto(path)
    else if (handle.stack) {
      const found = walk(handle.stack, method, rest || '/', template, guards)
      if (found) return found
    } else if (alwaysAnswers(handle)) return { guards, template: undefined }
  }

  // A router with routes for other methods answers OPTIONS itself.
  return method === 'options' && hasOtherMethods ? { guards, template: undefined } : undefined
}

/**
 * Collects the guards of a route, and returns whether one of the route's functions answers. A
 * function answers if it has no parameter `next`, or if it is the last function and not a guard.
 * Exception: `route(…).all(load).get(show)` has a function for all methods and a function for a
 * single method. In such a route, a function for all methods answers only if it has no parameter
 * `next`.
 */
function passRoute({ stack, methods }: Route, method: string, guards: GuardMark[]): boolean {
  const verb = method === 'head' && !methods['head'] ? 'get' : method
  const hasOwn = stack.some((layer) => layer.method !== undefined)
  // A function with four parameters is an error handler.
  const layers = stack.filter((layer) => (layer.method ?? verb) === verb && layer.handle.length < 4)
  for (const [index, layer] of layers.entries()) {
    const mark = findGuardMark(layer.handle)
    if (mark) guards.push(mark)
    else if (alwaysAnswers(layer.handle)) return true
    else if (index === layers.length - 1) return layer.method !== undefined || !hasOwn
  }
  return false
}

/**
 * Whether a function answers every request, because it has no parameter `next`. A function with
 * fewer than two parameters may have rest parameters.
 */
function alwaysAnswers(handle: Layer['handle']): boolean {
  return handle.length === 2 && !hidesParameters(handle)
}

/**
 * Returns the OpenAPI template of a layer that matched: the template of the routers around the
 * layer, followed by the layer's own template. Returns `undefined` if either template is unknown.
 *
 * @param prefix the template of the routers around the layer
 */
function templateOfMatch(
  prefix: string | undefined,
  own: unknown,
  match: Match,
): string | undefined {
  const template = (typeof own === 'string' ? templateOf(own) : undefined) ?? nameValues(match)
  return prefix === undefined || template === undefined ? undefined : join(prefix, template)
}

/**
 * Rebuilds the template of a match: replaces each value in the path with the name of its parameter,
 * so `/users/42` becomes `/users/{id}`. Express 4 needs this, because it does not keep the path
 * that the app passed to `use`.
 */
function nameValues({ path, params }: Match): string | undefined {
  let template = ''
  let rest = path
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    // Wildcards and groups of regular expressions have a number as their name, or a list as their
    // value. OpenAPI has no such parameter.
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

/**
 * Lists the routes of layers and of the routers in them.
 *
 * @param prefix the path of the routers around these layers, as the app writes it; `undefined` if
 *   it is unknown
 */
function listOf(
  stack: readonly Layer[],
  prefix: string | undefined,
  isIgnored: (path: string) => boolean,
): readonly ListedRoute[] {
  return stack.flatMap((layer): readonly ListedRoute[] => {
    const { route, handle } = layer
    if (route) {
      return textsOf(route.path).flatMap((path) => listRoute(route, prefix, path, isIgnored))
    }
    if (layer.name === 'mounted_app') {
      const places = prefixesOf(layer, prefix).map((place) => place ?? 'with an unknown path')
      const place = places.find((one) => !isIgnored(one))
      if (place === undefined) return []
      throw cannotDescribe(place, 'is a mounted app')
    }
    const { stack: inner } = handle
    return inner ? prefixesOf(layer, prefix).flatMap((one) => listOf(inner, one, isIgnored)) : []
  })
}

/** Lists a route under one of its paths, with one entry for each method that the route answers. */
function listRoute(
  route: Route,
  prefix: string | undefined,
  own: string,
  isIgnored: (path: string) => boolean,
): readonly ListedRoute[] {
  const path = join(prefix ?? '', own)
  const { _all: all, ...explicit } = route.methods
  const named = Object.keys(explicit)
  const verbs = all ? [...new Set([...methodsOfAll, ...named])] : named

  // If a route answers no method, its functions are only guards and other middleware for later
  // routes.
  const answered = verbs.filter((method) => passRoute(route, method, []))
  if (answered.length === 0 || isIgnored(path)) return []

  if (prefix === undefined) {
    throw new Error(
      `this version of Express does not keep the path of the router around ${own}: ` +
        'use Express 5 with router 2.3 or later, or secure(document, app) with your own document',
    )
  }
  const template = templateOf(path)
  if (template === undefined) {
    throw cannotDescribe(path, 'has a part that OpenAPI cannot describe')
  }

  return describedMethods(answered, path).map((method) => ({ method, template }))
}

/**
 * Returns the paths of a router's layer, each with `prefix` in front. An unknown path is
 * `undefined`.
 */
function prefixesOf(layer: Layer, prefix: string | undefined): readonly (string | undefined)[] {
  if (layer.regexp?.fast_slash) return [prefix]
  if (prefix === undefined || layer.rawPath === undefined) return [undefined]
  return textsOf(layer.rawPath).map((path) => join(prefix, path))
}

/**
 * Returns one or several paths as strings. A regular expression becomes a string in parentheses,
 * which `templateOf` rejects.
 */
function textsOf(path: unknown): readonly string[] {
  return [path].flat().map((one) => (one instanceof RegExp ? `(${one.source})` : String(one)))
}

/** Joins two paths with one slash, and removes a slash at the end. */
function join(prefix: string, path: string): string {
  return withoutSlash(`${prefix}/${path}`.replace(/\/{2,}/g, '/'))
}
