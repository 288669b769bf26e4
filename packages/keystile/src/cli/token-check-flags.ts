// The flags of `keystile token check`, for `parseArgs()` of node:util. `token-check.ts` reads them
// and has their help. The shell completion of the server names them too.
export const tokenCheckFlags = {
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
} as const
