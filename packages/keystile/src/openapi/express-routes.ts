import { findGuardMark, type GuardMark } from '../guard/guard-mark.ts'
import {
  cannotLookInto,
  cannotSay,
  methodsOfAll,
  templateOf,
  type AppRoutes,
  type FoundRoute,
  type ListedRoute,
} from './routes.ts'

interface Layer {
  readonly name: string
  readonly handle: ((...args: never) => unknown) & { readonly stack?: readonly Layer[] }
  readonly method?: string
  readonly route?: {
    readonly path: unknown
    readonly stack: readonly Layer[]
    readonly methods: Readonly<Record<string, boolean>>
  }
  /** What `use` was called with; Express 4 does not keep it. */
  readonly rawPath?: unknown
  /** Express 4: a way to see that the layer is for every path. */
  readonly regexp?: { readonly fast_slash?: boolean }
  /** Express 5 gives what was matched; Express 4 says whether, and keeps the rest in the layer. */
  match(path: string): boolean | { readonly path?: string } | undefined
  readonly path?: string
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
  return typeof app === 'function' && 'handle' in app && 'set' in app && stackOf(app) !== undefined
}

function stackOf(app: object): readonly Layer[] | undefined {
  // Express 4 throws for `router`; Express 5 makes one when it is first asked for.
  const { _router } = app as { readonly _router?: RouterLike }
  if (_router) return _router.stack
  try {
    return (app as { readonly router?: RouterLike }).router?.stack
  } catch {
    return []
  }
}

/** Asks the layers of the app's own routers, in the order in which a request passes them. */
export function routesOfExpress(app: ExpressLike): AppRoutes {
  const stack = stackOf(app)!
  return {
    byTemplate: false,
    find(method, path) {
      const guards: GuardMark[] = []
      return walk(stack, method.toLowerCase(), path, '', guards)
    },
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
  for (const layer of stack) {
    const matched = layer.match(path)
    if (!matched) continue
    const { route, handle } = layer
    if (route) {
      if (!route.methods['_all'] && !route.methods[method] && !(method === 'head' && route.methods['get'])) continue
      const verb = method === 'head' && !route.methods['head'] ? 'get' : method
      if (passRoute(route.stack, verb, guards)) return { guards, template: join(prefix, route.path) }
      continue
    }
    const mark = findGuardMark(handle)
    if (mark) guards.push(mark)
    else if (layer.name === 'mounted_app') throw cannotLookInto(path)
    else if (handle.stack) {
      const taken = (typeof matched === 'object' ? matched.path : layer.path) ?? ''
      const found = walk(handle.stack, method, path.slice(taken.length) || '/', prefixOf(layer, prefix), guards)
      if (found) return found
    } else if (handle.length < 3) return { guards, template: undefined }
  }
  return undefined
}

/** Whether one of a route's functions answers: the last that is not a guard, or one that takes no `next`. */
function passRoute(stack: readonly Layer[], method: string, guards: GuardMark[]): boolean {
  const layers = stack.filter((layer) => layer.method === undefined || layer.method === method)
  for (const [index, { handle }] of layers.entries()) {
    const mark = findGuardMark(handle)
    if (mark) guards.push(mark)
    else if (handle.length < 3 || index === layers.length - 1) return true
  }
  return false
}

function listOf(
  stack: readonly Layer[],
  prefix: string | undefined,
  isIgnored: (path: string) => boolean,
): readonly ListedRoute[] {
  return stack.flatMap((layer) => {
    const { route, handle } = layer
    if (!route && layer.name === 'mounted_app') {
      const place = join(prefix, layer.rawPath ?? '') ?? 'of an app that is mounted'
      if (isIgnored(place)) return []
      throw cannotSay(place, 'is an app mounted there')
    }
    if (!route) return handle.stack ? listOf(handle.stack, prefixOf(layer, prefix), isIgnored) : []
    const template = join(prefix, route.path)
    if (typeof route.path === 'string' && isIgnored(`${prefix ?? ''}${route.path}`)) return []
    if (template === undefined) {
      if (prefix === undefined)
        throw new Error(
          `the path of the router around ${String(route.path)} is not known to this Express: use router 2.3 or later (Express 5), or secure(document, app) with a document of your own`,
        )
      throw cannotSay(String(route.path), 'has a part that OpenAPI cannot say')
    }
    const verbs = route.methods['_all'] ? methodsOfAll : Object.keys(route.methods)
    return verbs.map((method) => ({ method, template }))
  })
}

function prefixOf(layer: Layer, prefix: string | undefined): string | undefined {
  if (layer.regexp?.fast_slash) return prefix
  return join(prefix, layer.rawPath)
}

function join(prefix: string | undefined, path: unknown): string | undefined {
  if (prefix === undefined || typeof path !== 'string') return undefined
  const whole = `${prefix}/${path}`.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  return templateOf(whole)
}
