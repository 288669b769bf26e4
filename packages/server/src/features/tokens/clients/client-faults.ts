// The rules that a client must meet to be registered.

import {
  clientIdPattern,
  firstParty,
  isFirstParty,
  type ClientGrant,
  type NewClient,
} from './clients.ts'
import { permissions } from './feature.ts'

/**
 * Checks a client before its registration. Returns one sentence for each fault. Does NOT check that
 * the scopes of the client are declared.
 *
 * @param known all grants that the server has
 */
export function findClientFaults(
  client: NewClient,
  known: readonly ClientGrant[],
): readonly string[] {
  const { id, grants, scopes, may, confidential, firstParty: isFlagged = false } = client
  const namesOf = (kind: ClientGrant['kind']): readonly string[] =>
    known.filter((grant) => grant.kind === kind).map(({ grantType }) => grantType)
  const isFor = (kind: ClientGrant['kind']): boolean =>
    namesOf(kind).some((name) => grants.includes(name))

  const loginGrants = namesOf('login').join(' or ')
  const clientGrants = namesOf('client').join(', ')
  const faults: string[] = []

  if (!clientIdPattern.test(id))
    faults.push(
      'a client id must have 2 to 63 lower-case letters, digits, dots, underscores or hyphens, ' +
        'and begin with a letter or digit',
    )
  if (id === firstParty.id)
    faults.push(`the client id must not be ${firstParty.id}, which is built in`)

  if (grants.length === 0 && may.length === 0)
    faults.push(`a client must have at least one grant or permission (${permissions.join(', ')})`)
  if (isFor('refresh') && !isFor('login'))
    faults.push(
      `a client with the grant ${namesOf('refresh').join(', ')} must also have the grant ` +
        `${loginGrants}: ${clientGrants} issues no refresh token (RFC 6749 §4.4.3)`,
    )
  if (isFor('client') && !confidential)
    faults.push(
      `a client with the grant ${clientGrants} must have a secret, so it must not be public ` +
        '(RFC 6749 §4.4)',
    )
  if (may.length > 0 && !confidential)
    faults.push(`only a confidential client may have a permission (${permissions.join(', ')})`)

  if (isFlagged && !isFor('login'))
    faults.push(`a first-party client must have the grant ${loginGrants}: people log in through it`)
  if (grants.includes('authorization_code') && !isFirstParty(isFlagged, grants))
    faults.push(
      'a client with the grant authorization_code must be first-party: ' +
        'only POST /authorize-challenge gives codes',
    )

  if (scopes.length > 0 && grants.length === 0)
    faults.push('a client with scopes must have a grant: a client without a grant gets no tokens')
  if (scopes.some((scope) => scope.startsWith('users:')) && !isFor('login'))
    faults.push(
      `a client with the scope users:read or users:write must have the grant ` +
        `${loginGrants}: only people may have these scopes`,
    )
  return faults
}
