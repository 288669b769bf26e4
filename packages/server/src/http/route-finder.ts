import { pathOf, type HttpRequestWithBody } from 'keystile/internal'
import type { Route } from './route.ts'

export interface FoundRoutes<C> {
  /** The declared path, such as `/users/{id}`. */
  readonly pattern: string
  readonly routes: readonly [Route<C>, ...Route<C>[]]
  readonly params: Readonly<Record<string, string>>
}

/**
 * Returns a function that finds routes by the path of a request. A route without parameters wins
 * over a route with parameters, so `me` in `/users/me` is never the id of a user. Paths are
 * compared as they were sent and are not decoded, so each route has exactly one spelling. Otherwise
 * a client could encode a path to avoid the rules of a proxy in front of Keystile.
 */
export function createRouteFinder<C>(
  routes: readonly Route<C>[],
  issuer: string,
): (path: string) => FoundRoutes<C> | undefined {
  const byPattern = groupByPattern(routes, issuer)
  const withParams = [...byPattern.values()]
    .filter(({ pattern }) => pattern.includes('{'))
    .map((found) => ({ expression: expressionOf(found.pattern), found }))

  return (path) => {
    const exact = path.includes('{') ? undefined : byPattern.get(path)
    if (exact) return exact

    for (const { expression, found } of withParams) {
      const match = expression.exec(path)
      if (match) return { ...found, params: { ...match.groups } }
    }
    return undefined
  }
}

/**
 * Returns a function that finds the pattern of a request's route, such as `/users/{id}`. It returns
 * undefined if the path of the request belongs to no route.
 */
export function createRouteNames<C>(
  routes: readonly Route<C>[],
  issuer: string,
): (request: HttpRequestWithBody) => string | undefined {
  const find = createRouteFinder(routes, issuer)
  return ({ url }) => {
    const path = pathOf(url)
    return path === undefined ? undefined : find(path)?.pattern
  }
}

function groupByPattern<C>(
  routes: readonly Route<C>[],
  issuer: string,
): ReadonlyMap<string, FoundRoutes<C>> {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const groups = new Map<string, FoundRoutes<C>>()
  for (const route of routes) {
    const pattern = route.below === 'issuer' ? `${base}${route.path}` : route.path
    const before = groups.get(pattern)
    groups.set(pattern, {
      pattern,
      routes: before ? [...before.routes, route] : [route],
      params: {},
    })
  }
  return groups
}

/**
 * Returns the regular expression for a path with parameters. A parameter matches one segment that
 * has only the characters of Keystile's ids. An encoded segment never matches.
 */
function expressionOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace(/\{(\w+)\}/g, '(?<$1>[\\w-]+)')
  return new RegExp(`^${source}$`)
}
