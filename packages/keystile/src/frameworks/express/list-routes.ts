import { templateOf } from '../path-templates.ts'
import { cannotDescribe, describedMethods, methodsOfAll, type ListedRoute } from '../routes.ts'
import { join, passRoute, type Layer, type Route } from './layers.ts'

/**
 * Lists the routes of layers and of the routers in them.
 *
 * @param prefix the path of the routers around these layers, as the app writes it; `undefined` if
 *   it is unknown
 */
export function listRoutes(
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
    return inner
      ? prefixesOf(layer, prefix).flatMap((one) => listRoutes(inner, one, isIgnored))
      : []
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
