// What `secure()` and `describe()` read from an app. The `routes.ts` of each framework makes it.
import type { GuardMark } from '../guard/guard-mark.ts'

export interface FoundRoute {
  /** The guards of the route, in the order of their execution. */
  readonly guards: readonly GuardMark[]
  /** The path of the route as OpenAPI writes it; `undefined` if the framework does not keep it. */
  readonly template: string | undefined
}

export interface ListedRoute {
  /** The method in lower case, as OpenAPI writes it. */
  readonly method: string
  /** The path as OpenAPI writes it. */
  readonly template: string
  /**
   * The path as the app writes it, such as `/items/:id`. Set only if several paths of the app can
   * have the same template.
   */
  readonly path?: string
}

export interface AppRoutes {
  /**
   * Finds the route of a request, with the matching rules of the framework itself.
   *
   * @param path the path of a request; with `byTemplate`, a path as OpenAPI writes it
   * @throws {Error} if a mounted app answers, because its guards are unknown
   */
  find(method: string, path: string): FoundRoute | undefined
  /**
   * Whether `find` takes a template such as `/items/{id}`. If false, `find` needs a path with
   * sample values, such as `/items/1`.
   */
  readonly byTemplate: boolean
  /**
   * Lists all routes.
   *
   * @param isIgnored returns true for a path that the list must leave out. The argument is the path
   *   as the app writes it, such as `/items/:id`
   * @throws {Error} for a route that OpenAPI cannot describe, unless it is ignored
   */
  list(isIgnored: (path: string) => boolean): readonly ListedRoute[]
}

/**
 * Returns the functions that run for a request, in the order of their execution. Returns
 * `undefined` if there is no route. An app writes its own `GuardFinder` if Keystile does not know
 * the app's framework.
 */
export type GuardFinder = (method: string, path: string) => readonly unknown[] | undefined

/** The methods of OpenAPI 3.1 §4.8.9. */
export const methods = [
  'get',
  'put',
  'post',
  'delete',
  'options',
  'head',
  'patch',
  'trace',
] as const

/**
 * The methods that an OpenAPI document lists for a route of `app.all(…)`: the methods that APIs
 * commonly use.
 */
export const methodsOfAll = ['get', 'put', 'post', 'delete', 'patch'] as const

/**
 * Returns the methods that a document lists for a route.
 *
 * @param path the path as the app writes it, for the error
 * @throws {Error} for a method that OpenAPI 3.1 does not have
 */
export function describedMethods(answered: readonly string[], path: string): readonly string[] {
  // A route for all methods comes from `app.all`, which also includes methods unknown to OpenAPI.
  if (methods.every((method) => answered.includes(method))) return methodsOfAll

  const other = answered.find((method) => !methods.some((known) => known === method))
  if (other) {
    const fault = `answers ${other.toUpperCase()}, a method that OpenAPI cannot describe`
    throw cannotDescribe(path, fault)
  }
  return answered
}

export function cannotDescribe(path: string, why: string): Error {
  return new Error(
    `the route ${path} ${why}. Fix: add the route to "ignore" to leave it out of the document`,
  )
}

/** Creates the error for a path that a mounted app answers. */
export function cannotLookInto(path: string): Error {
  return new Error(
    `a mounted app answers ${path}, and the guards of that app are unknown here. ` +
      'Fix: create a document for the mounted app itself, and add its paths to "ignore"',
  )
}

/**
 * Whether a function may take more parameters than its `length` says, because it has rest
 * parameters or a default. Only the source text of the function shows this.
 */
export function hidesParameters(handler: (...args: never) => unknown): boolean {
  const text = Function.prototype.toString.call(handler)
  // `function load(` and, in an object, `load(`; both may have `async` in front.
  const isArrow = !/^(?:async\s+)?(?:function\b|(?!async\b)[\w$]+\s*\()/.test(text)
  const end = text.indexOf(isArrow ? '=>' : '{')
  // A method with a quoted name has no arrow. Then `end` is -1, and `slice` cuts off only the last
  // brace.
  return /\.\.\.|=/.test(text.slice(0, end))
}
