import { createVerifier, type Verifier } from 'keystile'
import { openLoginStarter } from '../../features/sign-in/login/login-starter.ts'
import {
  createClientTokenIssuer,
  type ClientTokenIssuer,
} from '../../features/tokens/sessions/issuing.ts'
import type { Lifetimes } from '../../features/tokens/sessions/lifetimes.ts'
import {
  createSessionRefresher,
  type SessionRefresher,
} from '../../features/tokens/sessions/refresh.ts'
import { createSessionEnds, type SessionEnds } from '../../features/tokens/sessions/session-ends.ts'
import type { SessionStarter } from '../../features/tokens/sessions/sessions.ts'
import type { KeyRing } from '../../features/tokens/signing-keys/key-ring.ts'
import type { SigningKeySource } from '../../features/tokens/signing-keys/signing-key-source.ts'
import { openSigningKeys } from '../../features/tokens/signing-keys/signing-keys.ts'
import type { Parts } from './parts.ts'

/** What signs and verifies tokens, and starts, refreshes and ends sessions. */
export interface IssuingParts {
  readonly signingKeys: KeyRing
  readonly lifetimes: Lifetimes
  readonly verifier: Verifier
  readonly starter: SessionStarter
  readonly refresher: SessionRefresher
  readonly ends: SessionEnds
  readonly issueToClient: ClientTokenIssuer
}

export async function wireIssuing(
  { options, accounts: { database, feed, clients }, rotation: { times } }: Parts,
  source: SigningKeySource,
): Promise<IssuingParts> {
  const {
    issuer,
    audience = issuer,
    accessTokenSeconds,
    sessionSeconds,
    idleSeconds,
    graceSeconds,
    auditSeconds,
    clock,
    logger,
  } = options

  const signingKeys = await openSigningKeys(database, {
    issuer,
    source,
    accessTokenSeconds,
    feed,
    clock,
    logger,
    times,
  })
  const lifetimes = { accessTokenSeconds, sessionSeconds, idleSeconds, graceSeconds }
  const issuing = {
    issuer,
    audience,
    ...lifetimes,
    hasAccounts: options.users === undefined,
    signingKey: () => signingKeys.signingKey(),
  }

  return {
    signingKeys,
    lifetimes,
    verifier: createVerifier({
      issuer,
      audience,
      keys: signingKeys.keySet,
      revocations: feed.revocations,
      clock,
    }),
    starter: await openLoginStarter(database, { issuing, clock, auditSeconds }),
    refresher: createSessionRefresher(database, { issuing, feed, clock, logger }),
    ends: createSessionEnds(database, {
      feed,
      clock,
      listDisabledClients: clients.listDisabledIds,
    }),
    issueToClient: createClientTokenIssuer(issuing, clock),
  }
}
