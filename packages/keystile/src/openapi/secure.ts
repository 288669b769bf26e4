import { asJsonObject, isJsonObject, type JsonObject } from '../base/json.ts'
import { joinDemands, type Demand } from '../guard/demand.ts'
import { findGuardMark, type GuardMark } from '../guard/guard-mark.ts'
import { isExpress, routesOfExpress, type ExpressLike } from '../frameworks/express/routes.ts'
import { isFastify, routesOfFastify } from '../frameworks/fastify/routes.ts'
import { isHono, routesOfHono, type HonoLike } from '../frameworks/hono/routes.ts'
import { refusalsOf, refusalSchemas } from './refusals.ts'
import {
  methods,
  shapeOf,
  withoutSlash,
  type AppRoutes,
  type FoundRoute,
  type GuardFinder,
} from '../frameworks/routes.ts'
import { resolve, samplePaths } from './sample-paths.ts'

/**
 * An app of Hono, Express 4 or 5, or Fastify. For another framework, a function that returns the
 * functions that run for a request.
 */
export type SecuredApp =
  | HonoLike
  | ExpressLike
  | Parameters<typeof routesOfFastify>[0]
  | GuardFinder

export interface SecureOptions {
  /**
   * Paths to leave alone, such as those that the app does not answer itself: as the document writes
   * them, for `describe` also as the app does. A `*` at the end stands for anything, except in
   * `/*`, which is the route of that name.
   */
  readonly ignore?: readonly string[]
  /**
   * The OpenAPI Security Scheme Object of an issuer that is not Keystile. Default: OAuth 2 with the
   * password flow at `/token` of the issuer, so that Swagger UI can log in.
   */
  readonly securityScheme?: Readonly<Record<string, unknown>>
}

/** A document of OpenAPI 3.0 or 3.1, made by any tool. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths?: object
  readonly components?: object
  readonly security?: readonly object[]
}

type Requirement = Readonly<Record<string, readonly string[]>>

/**
 * Returns a copy of an OpenAPI document with what the guards of an app enforce: the security
 * scheme, each operation's `security` with its scopes, and the refusals 400, 401, 403 and 503 with
 * their bodies and headers. It asks the guards themselves, through the app's own router, so it
 * cannot differ from what they do. What the document demands of other schemes stays demanded.
 *
 * Call it when all routes are registered; a Fastify app must be ready. Does NOT see what only a
 * running request would show:
 *
 * - guards inside other functions, such as those of hono/combine: it sees only registered functions
 * - functions that answer although they take `next`, that go on although they are the last of their
 *   route, and `next('route')`. It takes for granted that a function with `next` goes on, and that
 *   one without it, and the last of a route, answers
 * - guards for only some values of a path parameter. It tries a few values, and begins with the
 *   `example`, `default` and `enum` of its schema
 * - that no request has tokens of two issuers, where it passes guards of both
 *
 * @throws {TypeError} for anything but a document of OpenAPI 3.0 or 3.1, or an app
 * @throws {Error} for an operation without a route, for one that another route answers, and if
 *   guards cannot be seen
 */
export function secure<D extends OpenApiDocument>(
  document: D,
  app: SecuredApp,
  options: SecureOptions = {},
): D {
  if (!/^3\.[01]\./.test(document?.openapi))
    throw new TypeError(
      'secure takes a document of OpenAPI 3.0 or 3.1 (of @fastify/swagger: set its option "openapi")',
    )
  const routes = routesOf(app)
  requireOwnSchemes(document, options)
  const schemes = new Map<
    string,
    { readonly name: string; readonly scopes: Record<string, string> }
  >()
  const secured = structuredClone(document) as D & {
    paths: Record<string, Record<string, unknown>>
    components?: JsonObject
  }
  const isIgnored = ignoring(options.ignore)
  for (const [path, written] of Object.entries(secured.paths ?? {})) {
    if (!isJsonObject(written) || isIgnored(path)) continue
    const item = itemOf(written, path, secured)
    for (const method of methods) {
      const operation = item[method]
      if (!isJsonObject(operation)) continue
      const { guards } = getRoute(routes, method, path, { document: secured, item, operation })
      if (guards.length === 0) {
        item[method] = withoutOurs(operation, secured.security)
        continue
      }
      item[method] = securedOperation(operation, guards, secured.security, schemes)
      secured.paths[path] = item
    }
  }
  if (schemes.size === 0) return secured
  const components = { ...secured.components }
  components['securitySchemes'] = {
    ...asJsonObject(components['securitySchemes']),
    ...Object.fromEntries(
      [...schemes].map(([issuer, { name, scopes }]) => [
        name,
        options.securityScheme ?? schemeOf(issuer, scopes),
      ]),
    ),
  }
  components['schemas'] = { ...refusalSchemas, ...asJsonObject(components['schemas']) }
  return { ...secured, components }
}

/** The names of our security schemes. */
const ownName = /^keystile\d*$/

/**
 * @throws {TypeError} for the app's own security scheme with a name of Keystile's, which it would
 *   lose
 */
function requireOwnSchemes(
  { components }: OpenApiDocument,
  { securityScheme }: SecureOptions,
): void {
  const written = asJsonObject(asJsonObject(components)['securitySchemes'])
  const ownType = securityScheme?.['type'] ?? 'oauth2'
  for (const [name, scheme] of Object.entries(written)) {
    if (!ownName.test(name) || asJsonObject(scheme)['type'] === ownType) continue
    throw new TypeError(
      `the security scheme "${name}" of the document has a name that secure writes: name it otherwise`,
    )
  }
}

/**
 * Removes Keystile's demands from an operation without a guard. They come from the whole document,
 * or from an earlier `secure`, when there was a guard.
 */
function withoutOurs(
  operation: JsonObject,
  documentSecurity: readonly object[] | undefined,
): JsonObject {
  const written = writtenSecurity(operation, documentSecurity)
  const others = written.map((requirement) =>
    withoutSchemes(requirement, (name) => ownName.test(name)),
  )
  if (JSON.stringify(others) === JSON.stringify(written)) return operation
  return {
    ...operation,
    security: others.every((requirement) => Object.keys(requirement).length === 0) ? [] : others,
  }
}

/** Returns the security of an operation as its document writes it. */
function writtenSecurity(
  operation: JsonObject,
  documentSecurity: readonly object[] | undefined,
): readonly Requirement[] {
  return (operation['security'] ?? documentSecurity ?? []) as readonly Requirement[]
}

function withoutSchemes(
  requirement: Requirement,
  isLeftOut: (name: string) => boolean,
): Requirement {
  return Object.fromEntries(Object.entries(requirement).filter(([name]) => !isLeftOut(name)))
}

/** @throws {TypeError} for what is no app */
export function routesOf(app: SecuredApp): AppRoutes {
  if (typeof app === 'object' ? app !== null : typeof app === 'function') {
    if (isHono(app)) return routesOfHono(app)
    if (isExpress(app)) return routesOfExpress(app)
    if (isFastify(app)) return routesOfFastify(app)
    if (typeof app === 'function') return routesOfFinder(app)
  }
  throw new TypeError(
    'secure and describe take an app of Hono, Express or Fastify, or a function (method, path)',
  )
}

export function ignoring(ignored: readonly string[] = []): (path: string) => boolean {
  return (path) =>
    ignored.some(
      // `/*` is the route of this name. As a wildcard it would leave nothing to document.
      (one) =>
        one === path || (one.length > 2 && one.endsWith('*') && path.startsWith(one.slice(0, -1))),
    )
}

/** Returns the item of one path, so that `secure` does not change one that several paths share. */
function itemOf(written: JsonObject, path: string, document: object): Record<string, unknown> {
  if (!('$ref' in written)) return written
  const { $ref: _, ...own } = written
  const shared = resolve(written, document)
  if (!shared)
    throw new Error(
      `${path} is a reference to no path item of this document: write its operations into it`,
    )
  return { ...structuredClone(shared), ...own }
}

function routesOfFinder(find: GuardFinder): AppRoutes {
  return {
    byTemplate: true,
    find(method, path) {
      const functions = find(method, path)
      return (
        functions && {
          guards: functions.map(findGuardMark).filter((mark) => mark !== undefined),
          template: path,
        }
      )
    },
    list() {
      throw new TypeError('describe takes an app of Hono, Express or Fastify')
    },
  }
}

/** @throws {Error} where there is none */
function getRoute(
  routes: AppRoutes,
  method: string,
  path: string,
  {
    document,
    item,
    operation,
  }: {
    readonly document: OpenApiDocument
    readonly item: JsonObject
    readonly operation: JsonObject
  },
): FoundRoute {
  const parameters = [item['parameters'], operation['parameters']].flat()
  let similar: FoundRoute | undefined
  let other: string | undefined
  for (const sample of routes.byTemplate ? [path] : samplePaths(path, parameters, document)) {
    const found = routes.find(method, sample)
    if (!found) continue
    if (found.template === path) return found
    if (maySay(found.template, path, document)) similar ??= found
    else other ??= found.template
  }
  if (similar) return similar
  const name = `${method.toUpperCase()} ${path}`
  const fault =
    other === undefined
      ? `the app has no route for ${name}`
      : `${name} is answered by the route ${other}, which the app has in front of its own`
  const advice = path.includes('{')
    ? 'give an example of each path parameter that its pattern allows, or '
    : ''
  throw new Error(`${fault}: ${advice}name the path in "ignore"`)
}

/** Whether the path of a document may mean this route. */
function maySay(
  template: string | undefined,
  path: string,
  { paths = {} }: OpenApiDocument,
): boolean {
  // A route without a template has matched the path, and nothing more is known.
  if (template === undefined) return true
  // The document may rename a parameter, unless it has a path with the app's name too.
  const isAnother = Object.hasOwn(paths, template) && withoutSlash(template) !== withoutSlash(path)
  return !isAnother && shapeOf(template) === shapeOf(path)
}

function securedOperation(
  operation: JsonObject,
  guards: readonly GuardMark[],
  documentSecurity: readonly object[] | undefined,
  schemes: Map<string, { readonly name: string; readonly scopes: Record<string, string> }>,
): JsonObject {
  const demands = new Map<string, { readonly scheme: string; readonly demand: Demand }>()
  for (const { issuer, scopes, demand } of guards) {
    const scheme = schemes.get(issuer) ?? { name: nameOf(schemes.size), scopes: {} }
    const before = demands.get(issuer)?.demand
    const joined = before ? joinDemands(before, demand) : demand
    demands.set(issuer, { scheme: scheme.name, demand: joined })
    for (const scope of demand.alternatives.flat()) scheme.scopes[scope] = scopes?.[scope] ?? ''
    Object.assign(scheme.scopes, scopes)
    schemes.set(issuer, scheme)
  }
  const names = new Set([...schemes.values()].map(({ name }) => name))
  const others = writtenSecurity(operation, documentSecurity).map((requirement) =>
    withoutSchemes(requirement, (name) => names.has(name)),
  )
  const security = [...demands.values()].reduce<readonly Requirement[]>(
    (all, { scheme, demand }) => both(all, requirementsOf(scheme, demand)),
    others.length > 0 ? others : [{}],
  )
  const joined = [...demands.values()].map(({ demand }) => demand)
  const ages = joined.map(({ maxAgeSeconds }) => maxAgeSeconds).filter((age) => age !== undefined)
  return {
    ...operation,
    security: distinct(security),
    ...(ages.length > 0 && { 'x-max-age-seconds': Math.min(...ages) }),
    responses: refusalsOf(joined, asJsonObject(operation['responses'])),
  }
}

/** Returns the alternatives of a demand. `{}` stands for a request without a token. */
function requirementsOf(name: string, { alternatives, optional }: Demand): readonly Requirement[] {
  // Copies, so that an edited document does not change the guard.
  return [...alternatives.map((scopes) => ({ [name]: [...scopes] })), ...(optional ? [{}] : [])]
}

function both(left: readonly Requirement[], right: readonly Requirement[]): readonly Requirement[] {
  return left.flatMap((one) => right.map((other) => ({ ...one, ...other })))
}

function distinct(requirements: readonly Requirement[]): readonly Requirement[] {
  return [
    ...new Map(
      requirements.map((requirement) => [JSON.stringify(requirement), requirement]),
    ).values(),
  ]
}

function nameOf(index: number): string {
  return index === 0 ? 'keystile' : `keystile${index + 1}`
}

function schemeOf(issuer: string, scopes: Readonly<Record<string, string>>): JsonObject {
  return { type: 'oauth2', flows: { password: { tokenUrl: `${issuer}/token`, scopes } } }
}
