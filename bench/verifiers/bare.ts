import { createHmac, timingSafeEqual, verify } from 'node:crypto'
import type { Contestant, Material, Verify } from './material.ts'

/**
 * The least work of a verification: verifies the signature and parses two JSON texts. It checks
 * neither the claims nor the form of the token.
 */
export const bare: Contestant = { name: 'node:crypto, bare', isOurs: false, prepare: prepareBare }

function prepareBare({ algorithm, keyObject }: Material): Verify {
  const isSigned = isSignedBy[algorithm]
  return (token) => {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const data = Buffer.from(`${header}.${payload}`)
    if (!isSigned(data, keyObject, Buffer.from(signature, 'base64url')))
      throw new Error('the signature must be valid')
    return [parse(header), parse(payload)]
  }
}

const isSignedBy: Readonly<
  Record<
    Material['algorithm'],
    (data: Buffer, key: Material['keyObject'], signature: Buffer) => boolean
  >
> = {
  HS256: (data, key, signature) =>
    timingSafeEqual(createHmac('sha256', key).update(data).digest(), signature),
  RS256: (data, key, signature) => verify('sha256', data, key, signature),
  ES256: (data, key, signature) =>
    verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
  EdDSA: (data, key, signature) => verify(null, data, key, signature),
}

function parse(segment: string): unknown {
  return JSON.parse(Buffer.from(segment, 'base64url').toString())
}
