import { createVerifier } from 'keystile'
import { importJwkSet, verifyJwt } from 'keystile/jwt'
import { audience, issuer } from '../tokens.ts'
import type { Contestant } from './material.ts'

/** Verifies a JWT. */
export const ourVerifyJwt: Contestant = {
  name: 'keystile, verifyJwt',
  isOurs: true,
  prepare: ({ jwk }) => {
    const keys = importJwkSet({ keys: [jwk] })
    const options = { issuer, audience, type: 'at+jwt' }
    return (token) => verifyJwt(token, keys, options)
  },
}

/**
 * Verifies a new token as a guard does: it also checks the profile of access tokens and reads the
 * identity.
 */
export const ourVerifier: Contestant = {
  name: 'keystile, createVerifier, nothing cached',
  isOurs: true,
  prepare: ({ jwk }) => {
    const verifier = createVerifier({
      issuer,
      audience,
      keys: { keys: [jwk] },
      revocations: 'none',
    })
    return (token) => verifier.verify(token)
  },
}
