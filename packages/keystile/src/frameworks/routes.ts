import type { GuardMark } from '../guard/guard-mark.ts'

/** What answers a request, and our guards that it passes on the way there. */
export interface FoundRoute {
  /** In the order in which they run. */
  readonly guards: readonly GuardMark[]
  /** The route's own path as OpenAPI writes it; `undefined` where the framework does not keep it. */
  readonly template: string | undefined
}

export interface ListedRoute {
  /** In lower case, as OpenAPI has it. */
  readonly method: string
  /** As OpenAPI writes it. */
  readonly template: string
  /** In the framework's own words, where two such may be one template. */
  readonly path?: string
}

/** The routes of an app, read from its framework. */
export interface AppRoutes {
  /**
   * What answers a request, by the framework's own matching.
   *
   * @param path of a request; or, where `byTemplate`, as OpenAPI writes it
   * @throws {Error} where an app that we cannot look into stands in the way
   */
  find(method: string, path: string): FoundRoute | undefined
  readonly byTemplate: boolean
  /**
   * All routes.
   *
   * @param isIgnored told of each path in the framework's own words
   * @throws {Error} for a route that OpenAPI cannot say, unless it is ignored
   */
  list(isIgnored: (path: string) => boolean): readonly ListedRoute[]
}

/** Looks for the guards of an app that is not of a known framework: its functions for a request, in the order in which they run. */
export type GuardFinder = (method: string, path: string) => readonly unknown[] | undefined

export const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/** What `app.all` answers, as far as an API has it: the rest would be noise. */
export const methodsOfAll = ['get', 'put', 'post', 'delete', 'patch'] as const

/**
 * The methods of a route that a document names.
 *
 * @param path in the framework's own words
 * @throws {Error} for a method that OpenAPI 3.1 has no place for
 */
export function describedMethods(answered: readonly string[], path: string): readonly string[] {
  // Whatever answers all of them was made by the framework's own "all", which knows further ones.
  if (methods.every((method) => answered.includes(method))) return methodsOfAll
  const other = answered.find((method) => !(methods as readonly string[]).includes(method))
  if (other) throw cannotSay(path, `answers ${other.toUpperCase()}, a method that OpenAPI cannot say`)
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
 * The path of a route as OpenAPI writes it: `:id` is `{id}`, and a pattern behind the name is dropped.
 *
 * @returns `undefined` for what OpenAPI cannot say: a wildcard, an optional part, an expression
 */
export function templateOf(path: string): string | undefined {
  const parameter = /:(\w+)(?:\{(?:[^{}]|\{[^{}]*\})*\}|\((?:[^()]|\([^()]*\))*\))?(?![?*+])/g
  if (/[*?+()[\]{}\\:|]/.test(path.replace(parameter, ''))) return undefined
  return path.replace(parameter, '{$1}') || '/'
}

/** Two templates have the same shape if nothing but names of parameters, or a slash at the end, tells them apart. */
export function shapeOf(template: string): string {
  return withoutSlash(namelessOf(template))
}

export function namelessOf(template: string): string {
  return template.replace(/\{[^}]*\}/g, '{}')
}

/** A path without the slash at its end. */
export function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/$/, '')
}

/** Whether a function takes more than its `length` says: the rest of its arguments, or one with a default. */
export function hidesParameters(handler: (...args: never) => unknown): boolean {
  const text = Function.prototype.toString.call(handler)
  const isArrow = !/^(?:async\s+)?(?:function\b|(?!async\b)[\w$]+\s*\()/.test(text)
  const end = text.indexOf(isArrow ? '=>' : '{')
  return /\.\.\.|=/.test(end < 0 ? text : text.slice(0, end))
}
