// `secure()` adds the demands of an app's guards to the app's OpenAPI document. It asks the router
// of the app (frameworks/*/routes.ts) which functions run for a sample path of each operation
// (`sample-paths.ts`), and finds the marks of guards among them (guard/guard-mark.ts).
// `refusals.ts` adds the answers 401, 403 and so on. In Nest, @nestjs/swagger tells which method an
// operation describes (`secure-nest.ts`). `describe.ts` makes a document for an app that has none.
import { asJsonObject, isJsonObject, type JsonObject } from '../base/json.ts'
import { joinDemands, type Demand } from '../guard/demand.ts'
import { findGuardMark, type GuardMark } from '../guard/guard-mark.ts'
import { isExpress, routesOfExpress, type ExpressLike } from '../frameworks/express/routes.ts'
import type { FastifyLike } from '../frameworks/fastify/remembered-routes.ts'
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
 * An app of Hono, Express 4 or 5, or Fastify. For any other framework: a function that takes a
 * method and a path, and returns the functions that run for a request with this method and path.
 */
export type SecuredApp = HonoLike | ExpressLike | FastifyLike | GuardFinder

export interface SecureOptions {
  /**
   * The paths to leave unchanged, for example because a different server answers them. Write a path
   * as the document writes it, such as `/items/{id}`. `describe()` also takes a path as the app
   * writes it, such as `/items/:id`. A `*` at the end stands for any characters. Exception: `/*`
   * stands only for the route `/*`.
   */
  readonly ignore?: readonly string[]
  /**
   * The OpenAPI Security Scheme Object to write into the document. Set it if the issuer is not
   * Keystile. Default: OAuth 2 with the password flow at `/token` of the issuer, so that Swagger UI
   * can log in.
   */
  readonly securityScheme?: Readonly<Record<string, unknown>>
}

/** A document of OpenAPI 3.0 or 3.1, created by any tool. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths?: object
  readonly components?: object
  readonly security?: readonly object[]
}

/**
 * A Security Requirement Object of OpenAPI. Maps the name of a security scheme to the scopes that
 * the operation demands.
 */
type Requirement = Readonly<Record<string, readonly string[]>>

/**
 * Returns a copy of an OpenAPI document with everything that the app's guards enforce: the security
 * scheme, the `security` and the scopes of each operation, and the refusals 400, 401, 403 and 503
 * with their bodies and headers. `secure()` finds the guards through the app's own router, so the
 * document cannot differ from the guards. Requirements of other schemes stay in the document.
 *
 * Call `secure()` after the app has registered all routes. A Fastify app must be ready. Does NOT
 * see what only a running request would show:
 *
 * - a guard inside another function, for example a function of hono/combine. `secure()` sees only
 *   the functions that the app registers
 * - whether a function answers, calls `next()` or calls `next('route')`. `secure()` assumes that a
 *   function without the parameter `next` answers, that the last function of a route answers, and
 *   that all other functions call `next`
 * - a guard that runs only for some values of a path parameter. `secure()` tries a few values, and
 *   begins with the `example`, `default` and `enum` of the parameter's schema
 * - a conflict between the guards of two issuers on one route: no request can pass both guards,
 *   because a request has only one token
 *
 * @throws {TypeError} if `document` is not OpenAPI 3.0 or 3.1, or if `app` is not a `SecuredApp`
 * @throws {Error} if an operation has no route, if a different route answers the operation, or if
 *   the guards of a route cannot be found
 */
export function secure<D extends OpenApiDocument>(
  document: D,
  app: SecuredApp,
  options: SecureOptions = {},
): D {
  if (!/^3\.[01]\./.test(document?.openapi)) {
    throw new TypeError(
      'the document for secure() must be OpenAPI 3.0 or 3.1. ' +
        'Fix: with @fastify/swagger, set its option "openapi"',
    )
  }

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
      const changed =
        guards.length > 0
          ? securedOperation(operation, guards, secured.security, schemes)
          : withoutOwnSchemes(operation, secured.security)
      if (changed === operation) continue
      item[method] = changed
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

/** Matches the names of the security schemes that `secure()` writes. */
const ownName = /^keystile\d*$/

/**
 * Refuses a document if another kind of security scheme already has one of the names that
 * `secure()` writes. Otherwise `secure()` would replace that scheme.
 *
 * @throws {TypeError} for such a scheme
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
      `the security scheme "${name}" of the document must have a different name, ` +
        'because secure() writes a scheme with this name. Fix: rename the scheme',
    )
  }
}

/**
 * Removes the requirements of Keystile's schemes from an operation without a guard. Such
 * requirements come from the `security` of the whole document. They also come from an earlier call
 * of `secure()`, when the route still had a guard.
 */
function withoutOwnSchemes(
  operation: JsonObject,
  documentSecurity: readonly object[] | undefined,
): JsonObject {
  const written = writtenSecurity(operation, documentSecurity)
  const others = otherRequirements(written)
  if (JSON.stringify(others) === JSON.stringify(written)) return operation
  return {
    ...operation,
    security: others.every((requirement) => Object.keys(requirement).length === 0) ? [] : others,
  }
}

/**
 * Returns the `security` of an operation. If the operation has none, returns the `security` of the
 * whole document.
 */
function writtenSecurity(
  operation: JsonObject,
  documentSecurity: readonly object[] | undefined,
): readonly Requirement[] {
  return (operation['security'] ?? documentSecurity ?? []) as readonly Requirement[]
}

/** Removes Keystile's security schemes from the requirements, and keeps all other schemes. */
function otherRequirements(requirements: readonly Requirement[]): readonly Requirement[] {
  return requirements.map((requirement) =>
    Object.fromEntries(Object.entries(requirement).filter(([name]) => !ownName.test(name))),
  )
}

/**
 * Returns the routes of an app of any supported framework.
 *
 * @throws {TypeError} if `app` is not a `SecuredApp`
 * @throws {Error} if the framework does not know its routes or guards yet
 */
export function routesOf(app: SecuredApp): AppRoutes {
  if (typeof app === 'object' ? app !== null : typeof app === 'function') {
    if (isHono(app)) return routesOfHono(app)
    if (isExpress(app)) return routesOfExpress(app)
    if (isFastify(app)) return routesOfFastify(app)
    if (typeof app === 'function') return routesOfFinder(app)
  }
  throw new TypeError(
    'the app must be a Hono, Express or Fastify app; secure() also accepts a function ' +
      '(method, path) that returns the guards of a route',
  )
}

export function ignoring(ignored: readonly string[] | undefined): (path: string) => boolean {
  return (path) =>
    ignored?.some(
      // `/*` means only the route `/*`. If it were a wildcard, it would ignore every route.
      (one) =>
        one === path || (one.length > 2 && one.endsWith('*') && path.startsWith(one.slice(0, -1))),
    ) ?? false
}

/**
 * Returns a copy of a path item. If the path item has a `$ref`, copies the path item that the
 * `$ref` names. Several paths may share one path item, and `secure()` must change it for one path
 * only.
 *
 * @throws {Error} for a `$ref` that names no path item of this document
 */
function itemOf(written: JsonObject, path: string, document: object): Record<string, unknown> {
  const { $ref: _, ...own } = written
  const shared = resolve(written, document)
  if (!shared) {
    throw new Error(
      `the $ref of ${path} does not lead to a path item of this document: ` +
        'write the operations into the path itself',
    )
  }
  return { ...structuredClone(shared), ...own }
}

/**
 * Returns the routes of an app that passes its own `GuardFinder`. These routes can be looked up,
 * but not listed.
 */
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
      throw new TypeError(
        'describe() must get a Hono, Express or Fastify app; it got a plain function',
      )
    },
  }
}

/**
 * Returns the route that answers an operation of the document.
 *
 * @throws {Error} if the app has no route for the operation, or if a route that the app registered
 *   for a different path would answer the operation
 */
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
    if (mayDescribe(found.template, path, document)) similar ??= found
    else other ??= found.template
  }
  if (similar) return similar

  const name = `${method.toUpperCase()} ${path}`
  const fault =
    other === undefined
      ? `the app has no route for ${name}`
      : `${name} reaches the route ${other} instead, because the app registers that route first`
  const advice = path.includes('{')
    ? 'give each path parameter an example that matches its pattern, or '
    : ''
  throw new Error(`${fault}: ${advice}add the path to "ignore"`)
}

function mayDescribe(
  template: string | undefined,
  path: string,
  { paths = {} }: OpenApiDocument,
): boolean {
  // A route without a template has an unknown path, but it has matched the path of the request.
  if (template === undefined) return true
  // The document may use a different name for a parameter. But if the document also contains the
  // template of this route, `path` must mean a different route.
  const isAnother = Object.hasOwn(paths, template) && withoutSlash(template) !== withoutSlash(path)
  return !isAnother && shapeOf(template) === shapeOf(path)
}

/**
 * Returns an operation with the demands of its guards. Adds the security schemes of the guards'
 * issuers to `schemes`.
 */
function securedOperation(
  operation: JsonObject,
  guards: readonly GuardMark[],
  documentSecurity: readonly object[] | undefined,
  schemes: Map<string, { readonly name: string; readonly scopes: Record<string, string> }>,
): JsonObject {
  // All guards of one issuer check the same token, so their demands are joined.
  const demands = new Map<string, { readonly scheme: string; readonly demand: Demand }>()
  for (const { issuer, scopes, demand } of guards) {
    const scheme = schemes.get(issuer) ?? { name: nameOf(schemes.size), scopes: {} }
    const before = demands.get(issuer)?.demand
    const joined = before ? joinDemands(before, demand) : demand
    demands.set(issuer, { scheme: scheme.name, demand: joined })
    Object.assign(scheme.scopes, scopes)
    for (const scope of demand.alternatives.flat()) scheme.scopes[scope] ??= ''
    schemes.set(issuer, scheme)
  }

  const others = otherRequirements(writtenSecurity(operation, documentSecurity))
  const security = [...demands.values()].reduce<readonly Requirement[]>(
    (all, { scheme, demand }) => both(all, requirementsOf(scheme, demand)),
    others.length > 0 ? others : [{}],
  )

  const joined = [...demands.values()].map(({ demand }) => demand)
  const { maxAgeSeconds, acr, verified } = joined.reduce(joinDemands)
  return {
    ...operation,
    security: distinct(security),
    ...(maxAgeSeconds !== undefined && { 'x-max-age-seconds': maxAgeSeconds }),
    ...(acr && { 'x-acr-values': [...acr] }),
    ...(verified && { 'x-email-verified': true }),
    responses: refusalsOf(joined, asJsonObject(operation['responses'])),
  }
}

/**
 * Returns one requirement for each alternative of a demand. `{}` allows requests without a token.
 */
function requirementsOf(name: string, { alternatives, optional }: Demand): readonly Requirement[] {
  // Copies the scopes, so that an app that edits the document does not change its guard.
  return [...alternatives.map((scopes) => ({ [name]: [...scopes] })), ...(optional ? [{}] : [])]
}

/** Combines each requirement in `left` with each requirement in `right`: both must be fulfilled. */
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

/** Returns the name of the scheme of an issuer: `keystile`, `keystile2` and so on. */
function nameOf(index: number): string {
  return index === 0 ? 'keystile' : `keystile${index + 1}`
}

/** Returns the default security scheme: the password flow of a Keystile issuer. */
function schemeOf(issuer: string, scopes: Readonly<Record<string, string>>): JsonObject {
  const flows = { password: { tokenUrl: `${issuer}/token`, scopes } }
  return { type: 'oauth2', description: 'Leave `client_id` and `client_secret` empty.', flows }
}
