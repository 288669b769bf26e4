// The security schemes that `secure()` writes into a document, and the `security` of operations.
import { asJsonObject, type JsonObject } from '../base/json.ts'
import { joinDemands, type Demand } from '../guard/demand.ts'
import type { GuardMark } from '../guard/guard-mark.ts'
import { refusalsOf } from './refusals.ts'

/**
 * A Security Requirement Object of OpenAPI. Maps the name of a security scheme to the scopes that
 * the operation demands.
 */
type Requirement = Readonly<Record<string, readonly string[]>>

/** A security scheme that `secure()` writes. */
interface OwnScheme {
  readonly name: string
  /** The scopes of the API and their descriptions. */
  readonly scopes: Record<string, string>
}

/** Maps each issuer that a guard trusts to its scheme. Grows with each operation. */
export type OwnSchemes = Map<string, OwnScheme>

/** Matches the names of the security schemes that `secure()` writes. */
const ownName = /^keystile\d*$/

/**
 * Refuses a document if another kind of security scheme already has one of the names that
 * `secure()` writes. Otherwise `secure()` would replace that scheme.
 *
 * @param own the scheme that the app passed to `secure()`
 * @throws {TypeError} for such a scheme
 */
export function requireOwnSchemes(components: unknown, own: JsonObject | undefined): void {
  const written = asJsonObject(asJsonObject(components)['securitySchemes'])
  const ownType = own?.['type'] ?? 'oauth2'
  for (const [name, scheme] of Object.entries(written)) {
    if (!ownName.test(name) || asJsonObject(scheme)['type'] === ownType) continue
    throw new TypeError(
      `the security scheme "${name}" of the document must have a different name, ` +
        'because secure() writes a scheme with this name. Fix: rename the scheme',
    )
  }
}

/**
 * Returns an operation with the demands of its guards. Adds the security schemes of the guards'
 * issuers to `schemes`.
 */
export function securedOperation(
  operation: JsonObject,
  guards: readonly GuardMark[],
  documentSecurity: readonly object[] | undefined,
  schemes: OwnSchemes,
): JsonObject {
  const demands = joinByIssuer(guards, schemes)
  const others = otherRequirements(writtenSecurity(operation, documentSecurity))
  const security = demands.reduce<readonly Requirement[]>(
    (all, { scheme, demand }) => both(all, requirementsOf(scheme, demand)),
    others.length > 0 ? others : [{}],
  )

  const joined = demands.map(({ demand }) => demand)
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
 * Joins the demands of the guards of each issuer, because they all check the same token. Adds the
 * issuers and the scopes of the guards to `schemes`.
 */
function joinByIssuer(
  guards: readonly GuardMark[],
  schemes: OwnSchemes,
): readonly { readonly scheme: string; readonly demand: Demand }[] {
  const demands = new Map<string, { readonly scheme: string; readonly demand: Demand }>()
  for (const { issuer, scopes, demand } of guards) {
    const scheme = schemes.get(issuer) ?? { name: nameOf(schemes.size), scopes: {} }
    schemes.set(issuer, scheme)
    Object.assign(scheme.scopes, scopes)
    for (const scope of demand.alternatives.flat()) scheme.scopes[scope] ??= ''

    const before = demands.get(issuer)?.demand
    const joined = before ? joinDemands(before, demand) : demand
    demands.set(issuer, { scheme: scheme.name, demand: joined })
  }
  return [...demands.values()]
}

/** Returns the name of the scheme of an issuer: `keystile`, `keystile2` and so on. */
function nameOf(index: number): string {
  return index === 0 ? 'keystile' : `keystile${index + 1}`
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

/**
 * Removes the requirements of Keystile's schemes from an operation without a guard. Such
 * requirements come from the `security` of the whole document. They also come from an earlier call
 * of `secure()`, when the route still had a guard.
 */
export function withoutOwnSchemes(
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
 * Returns the security schemes of a document, with Keystile's schemes.
 *
 * @param own the scheme that the app passed to `secure()`
 */
export function addSchemes(
  written: unknown,
  schemes: OwnSchemes,
  own: JsonObject | undefined,
): JsonObject {
  const added = [...schemes].map(([issuer, { name, scopes }]) => [
    name,
    own ?? passwordScheme(issuer, scopes),
  ])
  return { ...asJsonObject(written), ...Object.fromEntries(added) }
}

/** Returns the default security scheme: the password flow of a Keystile issuer. */
function passwordScheme(issuer: string, scopes: Readonly<Record<string, string>>): JsonObject {
  const flows = { password: { tokenUrl: `${issuer}/token`, scopes } }
  return { type: 'oauth2', description: 'Leave `client_id` and `client_secret` empty.', flows }
}
