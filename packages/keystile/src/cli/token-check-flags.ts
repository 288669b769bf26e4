import type { FlagTypes } from './flags.ts'

export const tokenCheckFlags: FlagTypes = {
  issuer: { type: 'string', multiple: true },
  audience: { type: 'string', multiple: true },
  'jwks-uri': { type: 'string' },
  keys: { type: 'string' },
  'token-type': { type: 'string' },
  'audience-claim': { type: 'string' },
  client: { type: 'string', multiple: true },
  'scopes-from': { type: 'string' },
  'max-token-age': { type: 'string' },
  scope: { type: 'string', multiple: true },
  'max-age': { type: 'string' },
  acr: { type: 'string', multiple: true },
  claims: { type: 'boolean' },
}
