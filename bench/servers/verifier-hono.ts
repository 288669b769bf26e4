// Keystile's guard in Hono: a verifier with a key set, no user, no revocations.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createVerifier } from 'keystile'
import { createGuard } from 'keystile/hono'
import { importJwkSet } from 'keystile/jwt'
import { audience, issuer } from '../tokens.ts'
import { answer, hostname, variable } from './environment.ts'

const keys = importJwkSet(JSON.parse(variable('KEYS')))
const guard = createGuard({ verifier: createVerifier({ issuer, audience, keys, revocations: 'none' }) })

const app = new Hono().get('/open', (c) => c.json(answer)).get('/guarded', guard('items:read'), (c) => c.json(answer))

serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
