// Hono's own JWT middleware.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { jwt } from 'hono/jwt'
import { audience, issuer } from '../tokens.ts'
import { answer, hostname, variable } from './environment.ts'

const verification = { iss: issuer, aud: audience, typ: 'at+jwt' }
const guard = jwt({ secret: variable('SECRET'), alg: 'HS256', verification })

const app = new Hono().get('/open', (c) => c.json(answer)).get('/guarded', guard, (c) => c.json(answer))

serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
