import { isJsonObject, type JsonObject } from '../base/json.ts'
import { joinDemands, type Demand } from '../guard/demand.ts'
import { findGuardMark, type GuardMark } from '../guard/guard-mark.ts'
import { isExpress, routesOfExpress, type ExpressLike } from './express-routes.ts'
import { isFastify, routesOfFastify } from './fastify-routes.ts'
import { isHono, routesOfHono, type HonoLike } from './hono-routes.ts'
import { refusalsOf, refusalSchemas } from './refusals.ts'
import { methods, type AppRoutes, type FoundRoute, type GuardFinder } from './routes.ts'
import { samplePaths, type Parameter } from './sample-paths.ts'

/** An app of Hono, Express 4 or 5, or Fastify; for any other, a function that finds its functions for a request. */
export type SecuredApp = HonoLike | ExpressLike | Parameters<typeof routesOfFastify>[0] | GuardFinder

export interface SecureOptions {
  /** Paths that the app does not answer itself, or that are to be left alone: as the document writes them, or with `*` at the end. */
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
 * Call it when all routes are there. A path parameter is tried with a few values, those of its schema's `example`,
 * `default` and `enum` first: a guard that is there for some values of a parameter only is not seen.
 *
 * @throws {Error} for an operation that the app has no route for, and where guards cannot be seen
 */
export function secure<D extends OpenApiDocument>(document: D, app: SecuredApp, options: SecureOptions = {}): D {
  const routes = routesOf(app)
  const schemes = new Map<string, { readonly name: string; readonly scopes: Record<string, string> }>()
  const secured = structuredClone(document) as D & {
    paths: Record<string, Record<string, unknown>>
    components?: JsonObject
  }
  const isIgnored = ignoring(options.ignore)
  for (const [path, item] of Object.entries(secured.paths ?? {})) {
    if (!isJsonObject(item) || isIgnored(path)) continue
    for (const method of methods) {
      const operation = item[method]
      if (!isJsonObject(operation)) continue
      const found = findRoute(routes, method, path, { document: secured, item, operation })
      if (!found) {
        throw new Error(
          `the app has no route for ${method.toUpperCase()} ${path}: give an example of each path parameter that its pattern allows, or name the path in "ignore"`,
        )
      }
      if (found.guards.length > 0) item[method] = securedOperation(operation, found.guards, secured.security, schemes)
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

/** @throws {TypeError} for what is no app */
export function routesOf(app: SecuredApp): AppRoutes {
  if ((typeof app === 'object' && app !== null) || typeof app === 'function') {
    if (isHono(app)) return routesOfHono(app)
    if (isExpress(app)) return routesOfExpress(app)
    if (isFastify(app)) return routesOfFastify(app)
    if (typeof app === 'function') return routesOfFinder(app as GuardFinder)
  }
  throw new TypeError('secure and describe take an app of Hono, Express or Fastify, or a function (method, path)')
}

export function ignoring(ignored: readonly string[] = []): (path: string) => boolean {
  return (path) => ignored.some((one) => one === path || (one.endsWith('*') && path.startsWith(one.slice(0, -1))))
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

function findRoute(
  routes: AppRoutes,
  method: string,
  path: string,
  {
    document,
    item,
    operation,
  }: { readonly document: object; readonly item: JsonObject; readonly operation: JsonObject },
): FoundRoute | undefined {
  if (routes.byTemplate) return routes.find(method, path)
  const parameters = [item['parameters'], operation['parameters']].flat() as readonly (Parameter | undefined)[]
  let similar: FoundRoute | undefined
  for (const sample of samplePaths(path, parameters, document)) {
    const found = routes.find(method, sample)
    if (found?.template === path) return found
    // The document may name a parameter otherwise than the app does; what has no template is taken at its word.
    if (found && (found.template === undefined || shapeOf(found.template) === shapeOf(path))) similar ??= found
  }
  return similar
}

function shapeOf(template: string): string {
  return template.replace(/\{[^}]*\}/g, '{}').replace(/(?<=.)\/$/, '')
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
    Object.fromEntries(Object.entries(requirement).filter(([name]) => !names.has(name))),
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
  return [...alternatives.map((scopes) => ({ [name]: scopes })), ...(optional ? [{}] : [])]
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
