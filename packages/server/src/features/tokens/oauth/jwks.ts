import type { JwkSet } from 'keystile/jwt'
import { jsonAnswer } from '../../../http/answers.ts'
import type { OpenRoute } from '../../../http/route.ts'

const jwkSetSchema = {
  type: 'object',
  properties: {
    keys: {
      type: 'array',
      items: { type: 'object', properties: { kty: { type: 'string' } }, required: ['kty'] },
    },
  },
  required: ['keys'],
}

/**
 * `GET /.well-known/jwks.json`: the public keys of the issuer (RFC 7517 §5).
 *
 * @param published returns the public keys, and how long a verifier may cache them
 */
export function jwksRoute(
  published: () => Promise<{ readonly keys: JwkSet; readonly maxAgeSeconds: number }>,
): OpenRoute {
  return {
    method: 'GET',
    path: '/.well-known/jwks.json',
    below: 'issuer',
    refusals: 'problem',
    doc: {
      tag: 'Metadata',
      summary: 'The public keys',
      description: 'A JWK Set (RFC 7517 §5).',
      success: {
        status: 200,
        description: 'The keys',
        schema: jwkSetSchema,
        type: 'application/jwk-set+json',
      },
    },
    async handle() {
      const { keys, maxAgeSeconds } = await published()
      return jsonAnswer(200, keys, {
        'cache-control': `public, max-age=${maxAgeSeconds}`,
        'content-type': 'application/jwk-set+json',
      })
    },
  }
}
