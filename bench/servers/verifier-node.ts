// Keystile's guard in node:http: a verifier with a key set, no user, no revocations.
import { createVerifier } from 'keystile'
import { importJwkSet } from 'keystile/jwt'
import { createGuard } from 'keystile/node'
import { audience, issuer } from '../tokens.ts'
import { variable } from './environment.ts'
import { serveRoutes } from './node-routes.ts'

const keys = importJwkSet(JSON.parse(variable('KEYS')))
const guard = createGuard({ verifier: createVerifier({ issuer, audience, keys, revocations: 'none' }) })

serveRoutes(guard('items:read'))
