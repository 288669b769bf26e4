// The layers of an Express router. Express has no public interface for reading its routes.
import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import { withoutSlash } from '../path-templates.ts'
import { hidesParameters } from '../routes.ts'

export interface Match {
  readonly path: string
  readonly params: Readonly<Record<string, unknown>>
  /** The path pattern that matched, for a layer with several patterns. Missing in Express 4. */
  readonly pattern?: unknown
}

/** One entry of a router: a function, a route or another router, with its path. */
export interface Layer extends Match {
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

export interface Route {
  readonly path: unknown
  readonly stack: readonly Layer[]
  readonly methods: Readonly<Record<string, boolean>>
}

/**
 * Collects the guards of a route, and returns whether one of the route's functions answers. A
 * function answers if it has no parameter `next`, or if it is the last function and not a guard.
 * Exception: `route(…).all(load).get(show)` has a function for all methods and a function for a
 * single method. In such a route, a function for all methods answers only if it has no parameter
 * `next`.
 */
export function passRoute({ stack, methods }: Route, method: string, guards: GuardMark[]): boolean {
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
export function alwaysAnswers(handle: Layer['handle']): boolean {
  return handle.length === 2 && !hidesParameters(handle)
}

/** Joins two paths with one slash, and removes a slash at the end. */
export function join(prefix: string, path: string): string {
  return withoutSlash(`${prefix}/${path}`.replace(/\/{2,}/g, '/'))
}
