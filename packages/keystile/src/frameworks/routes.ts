import type { GuardMark } from '../guard/guard-mark.ts'

/** The route that answers a request, and the guards before it. */
export interface FoundRoute {
  /** In the order in which they run. */
  readonly guards: readonly GuardMark[]
  /** The route's path as OpenAPI writes it; `undefined` if the framework does not keep it. */
  readonly template: string | undefined
}

export interface ListedRoute {
  /** In lower case, as OpenAPI has it. */
  readonly method: string
  /** As OpenAPI writes it. */
  readonly template: string
  /** The path as the app writes it, if several such paths can be one template. */
  readonly path?: string
}

/** The routes of an app, read from its framework. */
export interface AppRoutes {
  /**
   * Finds the route of a request by the framework's own matching.
   *
   * @param path of a request; with `byTemplate`, as OpenAPI writes it
   * @throws {Error} if a mounted app answers, whose guards cannot be seen
   */
  find(method: string, path: string): FoundRoute | undefined
  readonly byTemplate: boolean
  /**
   * Lists all routes.
   *
   * @param isIgnored called with each path as the app writes it
   * @throws {Error} for a route that OpenAPI cannot describe, unless it is ignored
   */
  list(isIgnored: (path: string) => boolean): readonly ListedRoute[]
}

/** Finds the functions that run for a request, in their order, in an app of another framework. */
export type GuardFinder = (method: string, path: string) => readonly unknown[] | undefined

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

/** The methods of `app.all` that an API uses. */
export const methodsOfAll = ['get', 'put', 'post', 'delete', 'patch'] as const

/**
 * Returns the methods of a route that a document names.
 *
 * @param path as the app writes it
 * @throws {Error} for a method that OpenAPI 3.1 does not have
 */
export function describedMethods(answered: readonly string[], path: string): readonly string[] {
  // A route for all of them comes from the framework's own "all", which knows more methods.
  if (methods.every((method) => answered.includes(method))) return methodsOfAll
  const other = answered.find((method) => !methods.some((known) => known === method))
  if (other)
    throw cannotSay(path, `answers ${other.toUpperCase()}, a method that OpenAPI cannot say`)
  return answered
}

export function cannotSay(path: string, why: string): Error {
  return new Error(`the route ${path} ${why}: name it in "ignore" to leave it out of the document`)
}

export function cannotLookInto(path: string): Error {
  return new Error(
    `${path} is answered by an app mounted there, whose guards cannot be seen from here: make its document by itself, and name its paths in "ignore"`,
  )
}

/**
 * Writes the path of a route as OpenAPI does: `:id` becomes `{id}` without a pattern. Returns
 * `undefined` for a wildcard, an optional part and an expression, which OpenAPI does not have.
 */
export function templateOf(path: string): string | undefined {
  const parameter = /:(\w+)(?:\{(?:[^{}]|\{[^{}]*\})*\}|\((?:[^()]|\([^()]*\))*\))?(?![?*+])/g
  if (/[*?+()[\]{}\\:|]/.test(path.replace(parameter, ''))) return undefined
  return path.replace(parameter, '{$1}') || '/'
}

/** Returns the shape of a template: without the names of parameters and a slash at the end. */
export function shapeOf(template: string): string {
  return withoutSlash(namelessOf(template))
}

export function namelessOf(template: string): string {
  return template.replace(/\{[^}]*\}/g, '{}')
}

/** Removes the slash at the end of a path. */
export function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/$/, '')
}

/** Whether a function takes more than its `length` says: rest parameters, or a default. */
export function hidesParameters(handler: (...args: never) => unknown): boolean {
  const text = Function.prototype.toString.call(handler)
  const isArrow = !/^(?:async\s+)?(?:function\b|(?!async\b)[\w$]+\s*\()/.test(text)
  const end = text.indexOf(isArrow ? '=>' : '{')
  return /\.\.\.|=/.test(end < 0 ? text : text.slice(0, end))
}
