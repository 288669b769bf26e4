// Keys and tokens that Node makes for other runtimes.
import {
  constants,
  createPrivateKey,
  createPublicKey,
  sign as signWith,
  type KeyObject,
} from 'node:crypto'
import { exportPrivateJwk, generateKey, signJwt, type AlgorithmName, type Jwk } from 'keystile/jwt'
import type { AlgorithmCase } from './algorithms.ts'

/** Makes a key, a token, and tokens with wrong signatures for an algorithm. */
export function makeAlgorithmCase(algorithm: AlgorithmName): AlgorithmCase {
  const key = generateKey(algorithm)
  const privateJwk = exportPrivateJwk(key)
  const token = signJwt({ sub: 'ada' }, key, { expiresInSeconds: 600 })
  const changed = token.replace(/.{5}$/, (end) => (end.startsWith('A') ? 'BBBBB' : 'AAAAA'))
  const isSecret = algorithm.startsWith('HS')
  return {
    algorithm,
    privateJwk,
    token,
    pems: isSecret ? [] : pemsOf(privateJwk),
    forged: [changed, ...withOtherPadding(algorithm, privateJwk, token)],
  }
}

function privateKeyOf(jwk: Jwk): KeyObject {
  return createPrivateKey({ key: { ...jwk, key_ops: [] }, format: 'jwk' })
}

function pemsOf(jwk: Jwk): readonly string[] {
  const key = privateKeyOf(jwk)
  return [
    key.export({ type: 'pkcs8', format: 'pem' }),
    createPublicKey(key).export({ type: 'spki', format: 'pem' }),
  ]
}

/** Signs the same content with the other padding of RSA, under the header of the token. */
function withOtherPadding(algorithm: AlgorithmName, jwk: Jwk, token: string): readonly string[] {
  if (!/^[RP]S/.test(algorithm)) return []

  const bits = Number(algorithm.slice(2))
  const key = privateKeyOf(jwk)
  const padding = algorithm.startsWith('P')
    ? { padding: constants.RSA_PKCS1_PADDING }
    : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: bits / 8 }
  const signed = token.slice(0, token.lastIndexOf('.'))
  const signature = signWith(`sha${bits}`, Buffer.from(signed), { key, ...padding })
  return [`${signed}.${signature.toString('base64url')}`]
}
