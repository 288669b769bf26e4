import { isJsonObject, type JsonObject } from '../base/json.ts'
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
import { resolve, samplePaths, type Parameter } from './sample-paths.ts'

/** An app of Hono, Express 4 or 5, or Fastify; for any other, a function that finds its functions for a request. */
export type SecuredApp = HonoLike | ExpressLike | Parameters<typeof routesOfFastify>[0] | GuardFinder

export interface SecureOptions {
  /**
   * Paths that the app does not answer itself, or that are to be left alone: as the document writes them, for `describe`
   * also as the app does. A `*` at the end stands for anything, but for `/*`, which is the route of that name.
   */
  readonly ignore?: readonly string[]
  /**
   * The OpenAPI Security Scheme Object of an issuer that is no Keystile.
   * Default: OAuth 2 with the password flow at `/token` of the issuer, so that Swagger UI can log in.
   */
  readonly securityScheme?: Readonly<Record<string, unknown>>
}

/** A document of OpenAPI 3.0 or 3.1, as any tool makes it. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths?: object
  readonly components?: object
  readonly security?: readonly object[]
}

type Requirement = Readonly<Record<string, readonly string[]>>

/**
 * Writes into an OpenAPI document what the guards of an app enforce: the security scheme, each operation's `security`
 * with its scopes, and the refusals 400, 401, 403 and 503 with their bodies and headers. It is read from the guards
 * themselves, by the app's own way of finding what answers a request, so it cannot say anything else than they do. What
 * the document says of other schemes stays and is demanded as well. The document that is passed in is not changed.
 *
 * Call it when all routes are there; a Fastify app has to be ready. Does NOT see what only a running request would show:
 *
 * - guards that are called by other functions, those of hono/combine say: only what was registered itself is seen
 * - functions that answer though they take `next`, or pass a request on where they are the last of their route; and
 *   `next('route')`. What takes `next` is taken to call it, what does not to answer, and so is the last of a route
 * - guards that are there for some values of a path parameter only. A parameter is tried with a few values, those of its
 *   schema's `example`, `default` and `enum` first
 * - tokens of two issuers at once, where a request passes the guards of both: no request has both
 *
 * @throws {TypeError} for what is no document of OpenAPI 3.0 or 3.1, or no app
 * @throws {Error} for an operation that the app has no route for, or one that another route answers, and where guards cannot be seen
 */
export function secure<D extends OpenApiDocument>(document: D, app: SecuredApp, options: SecureOptions = {}): D {
  if (!/^3\.[01]\./.test(document?.openapi))
    throw new TypeError('secure takes a document of OpenAPI 3.0 or 3.1 (of @fastify/swagger: set its option "openapi")')
  const routes = routesOf(app)
  requireOwnSchemes(document, options)
  const schemes = new Map<string, { readonly name: string; readonly scopes: Record<string, string> }>()
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
    ...(components['securitySchemes'] as object),
    ...Object.fromEntries(
      [...schemes].map(([issuer, { name, scopes }]) => [name, options.securityScheme ?? schemeOf(issuer, scopes)]),
    ),
  }
  components['schemas'] = { ...refusalSchemas, ...(components['schemas'] as object) }
  return { ...secured, components }
}

/** The names of our security schemes. */
const ownName = /^keystile\d*$/

/** @throws {TypeError} for a security scheme of the app's own that has the name of Keystile's: it would be overwritten */
function requireOwnSchemes({ components }: OpenApiDocument, { securityScheme }: SecureOptions): void {
  const { securitySchemes = {} } = (components ?? {}) as { readonly securitySchemes?: object }
  for (const [name, scheme] of Object.entries(securitySchemes) as [string, { readonly type?: unknown }][]) {
    if (!ownName.test(name) || scheme.type === (securityScheme?.['type'] ?? 'oauth2')) continue
    throw new TypeError(
      `the security scheme "${name}" of the document has a name that secure writes: name it otherwise`,
    )
  }
}

/**
 * An operation that no guard protects, without Keystile's demands: those of a document that was secured before, when there
 * was a guard, or of the whole document.
 */
function withoutOurs(operation: JsonObject, documentSecurity: readonly object[] = []): JsonObject {
  const written = (operation['security'] ?? documentSecurity) as readonly Requirement[]
  const others = written.map((requirement) => withoutSchemes(requirement, (name) => ownName.test(name)))
  if (JSON.stringify(others) === JSON.stringify(written)) return operation
  return { ...operation, security: others.every((requirement) => Object.keys(requirement).length === 0) ? [] : others }
}

function withoutSchemes(requirement: Requirement, isLeftOut: (name: string) => boolean): Requirement {
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
  throw new TypeError('secure and describe take an app of Hono, Express or Fastify, or a function (method, path)')
}

export function ignoring(ignored: readonly string[] = []): (path: string) => boolean {
  return (path) =>
    ignored.some(
      // `/*` is the route of this name; everything would be nothing to document.
      (one) => one === path || (one.length > 2 && one.endsWith('*') && path.startsWith(one.slice(0, -1))),
    )
}

/** A path item may be a reference to one that several paths share; what is secured is one path's own. */
function itemOf(written: JsonObject, path: string, document: object): Record<string, unknown> {
  if (!('$ref' in written)) return written
  const { $ref: _, ...own } = written
  const shared = resolve(written, document)
  if (!shared) throw new Error(`${path} is a reference to no path item of this document: write its operations into it`)
  return { ...structuredClone(shared), ...own }
}

function routesOfFinder(find: GuardFinder): AppRoutes {
  return {
    byTemplate: true,
    find(method, path) {
      const functions = find(method, path)
      return functions && { guards: functions.map(findGuardMark).filter((mark) => mark !== undefined), template: path }
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
  }: { readonly document: OpenApiDocument; readonly item: JsonObject; readonly operation: JsonObject },
): FoundRoute {
  const parameters = [item['parameters'], operation['parameters']].flat() as readonly (Parameter | undefined)[]
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
  const advice = path.includes('{') ? 'give an example of each path parameter that its pattern allows, or ' : ''
  throw new Error(`${fault}: ${advice}name the path in "ignore"`)
}

/** Whether a document may mean this route by this path. */
function maySay(template: string | undefined, path: string, { paths = {} }: OpenApiDocument): boolean {
  // What has no template is taken at its word.
  if (template === undefined) return true
  // A parameter may have another name than in the app, unless the document has the app's name as well.
  const isAnother = Object.hasOwn(paths, template) && withoutSlash(template) !== withoutSlash(path)
  return !isAnother && shapeOf(template) === shapeOf(path)
}

function securedOperation(
  operation: JsonObject,
  guards: readonly GuardMark[],
  documentSecurity: readonly object[] | undefined,
  schemes: Map<string, { readonly name: string; readonly scopes: Record<string, string> }>,
): JsonObject {
  const demands = new Map<string, Demand>()
  for (const { issuer, scopes, demand } of guards) {
    const before = demands.get(issuer)
    demands.set(issuer, before ? joinDemands(before, demand) : demand)
    const scheme = schemes.get(issuer) ?? { name: nameOf(schemes.size), scopes: {} }
    for (const scope of demand.alternatives.flat()) scheme.scopes[scope] = scopes?.[scope] ?? ''
    Object.assign(scheme.scopes, scopes)
    schemes.set(issuer, scheme)
  }
  const names = new Set([...schemes.values()].map(({ name }) => name))
  const others = ((operation['security'] ?? documentSecurity ?? []) as readonly Requirement[]).map((requirement) =>
    withoutSchemes(requirement, (name) => names.has(name)),
  )
  const security = [...demands].reduce<readonly Requirement[]>(
    (all, [issuer, demand]) => both(all, requirementsOf(schemes.get(issuer)!.name, demand)),
    others.length > 0 ? others : [{}],
  )
  const joined = [...demands.values()]
  const ages = joined.map(({ maxAgeSeconds }) => maxAgeSeconds).filter((age) => age !== undefined)
  return {
    ...operation,
    security: distinct(security),
    ...(ages.length > 0 && { 'x-max-age-seconds': Math.min(...ages) }),
    responses: refusalsOf(joined, (operation['responses'] ?? {}) as JsonObject),
  }
}

/** Any of them; `{}` is nobody at all. */
function requirementsOf(name: string, { alternatives, optional }: Demand): readonly Requirement[] {
  // Copies: who edits the document must not edit the guard.
  return [...alternatives.map((scopes) => ({ [name]: [...scopes] })), ...(optional ? [{}] : [])]
}

function both(left: readonly Requirement[], right: readonly Requirement[]): readonly Requirement[] {
  return left.flatMap((one) => right.map((other) => ({ ...one, ...other })))
}

function distinct(requirements: readonly Requirement[]): readonly Requirement[] {
  return [...new Map(requirements.map((requirement) => [JSON.stringify(requirement), requirement])).values()]
}

function nameOf(index: number): string {
  return index === 0 ? 'keystile' : `keystile${index + 1}`
}

function schemeOf(issuer: string, scopes: Readonly<Record<string, string>>): JsonObject {
  return { type: 'oauth2', flows: { password: { tokenUrl: `${issuer}/token`, scopes } } }
}
