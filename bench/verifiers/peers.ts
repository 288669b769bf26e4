// Other libraries, each used as in its documentation, with the same demands.
import type { KeyObject } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { importJWK, jwtVerify, type JWK } from 'jose'
import { audience, issuer } from '../tokens.ts'
import type { Contestant } from './material.ts'

/** The folder whose package.json and lock file say what is installed there. */
export const peersFolder = join(import.meta.dirname, '../peers')
const requirePeer = createRequire(join(peersFolder, 'package.json'))

export const jose: Contestant = {
  name: 'jose',
  isOurs: false,
  prepare: async ({ jwk, algorithm, keyObject }) => {
    // Otherwise jose imports a secret again for each token.
    const key =
      algorithm === 'HS256'
        ? await importHmac(keyObject)
        : await importJWK({ ...jwk } as JWK, algorithm)
    const demand = { issuer, audience, typ: 'at+jwt', algorithms: [algorithm] }
    return (token) => jwtVerify(token, key, demand)
  },
}

function importHmac(secret: KeyObject): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    'raw',
    new Uint8Array(secret.export()),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  )
}

/** The parts of the packages that are used. They are installed only for measurements. */
interface FastJwt {
  createVerifier(options: object): (token: string) => unknown
}
interface JsonWebToken {
  verify(token: string, key: KeyObject, options: object): unknown
}

export const fastJwt: Contestant = {
  name: 'fast-jwt, without its cache',
  isOurs: false,
  prepare: ({ algorithm, pem, keyObject }) => {
    const { createVerifier } = requirePeer('fast-jwt') as FastJwt
    const key = pem ?? keyObject.export()
    return createVerifier({
      key,
      algorithms: [algorithm],
      allowedIss: issuer,
      allowedAud: audience,
      checkTyp: 'at+jwt',
      cache: false,
    })
  },
}

export const jsonWebToken: Contestant = {
  name: 'jsonwebtoken',
  isOurs: false,
  prepare: ({ algorithm, keyObject }) => {
    if (algorithm === 'EdDSA') return undefined
    const { verify } = requirePeer('jsonwebtoken') as JsonWebToken
    const options = { issuer, audience, algorithms: [algorithm] }
    // A key object, because a key in text would be parsed again for each token.
    return (token) => verify(token, keyObject, options)
  },
}
