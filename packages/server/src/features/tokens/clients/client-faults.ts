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
  { id, grants, scopes, may, confidential, firstParty: isFlagged = false }: NewClient,
  known: readonly ClientGrant[],
): readonly string[] {
  const namesOf = (kind: ClientGrant['kind']): readonly string[] =>
    known.filter((grant) => grant.kind === kind).map(({ grantType }) => grantType)
  const logins = namesOf('login')
  const refreshes = namesOf('refresh')
  const own = namesOf('client')
  const has = (names: readonly string[]): boolean => names.some((name) => grants.includes(name))
  const hasPeople = has(logins)

  const faults: (string | false)[] = [
    !clientIdPattern.test(id) &&
      'a client id must have 2 to 63 lower-case letters, digits, dots, underscores or hyphens, ' +
        'and begin with a letter or digit',
    id === firstParty.id && `the client id must not be ${firstParty.id}, which is built in`,
    grants.length === 0 &&
      may.length === 0 &&
      `a client must have at least one grant or permission (${permissions.join(', ')})`,
    has(refreshes) &&
      !hasPeople &&
      `a client with the grant ${refreshes.join(', ')} must also have the grant ` +
        `${logins.join(' or ')}: ${own.join(', ')} issues no refresh token (RFC 6749 §4.4.3)`,
    !confidential &&
      has(own) &&
      `a client with the grant ${own.join(', ')} must have a secret, so it must not be public ` +
        '(RFC 6749 §4.4)',
    !confidential &&
      may.length > 0 &&
      `only a confidential client may have a permission (${permissions.join(', ')})`,
    isFlagged &&
      !hasPeople &&
      `a first-party client must have the grant ${logins.join(' or ')}: people log in through it`,
    grants.includes('authorization_code') &&
      !isFirstParty(isFlagged, grants) &&
      'a client with the grant authorization_code must be first-party: ' +
        'only POST /authorize-challenge gives codes',
    grants.length === 0 &&
      scopes.length > 0 &&
      'a client with scopes must have a grant: a client without a grant gets no tokens',
    !hasPeople &&
      scopes.some((scope) => scope.startsWith('users:')) &&
      `a client with the scope users:read or users:write must have the grant ` +
        `${logins.join(' or ')}: only people may have these scopes`,
  ]
  return faults.filter((fault) => fault !== false)
}
