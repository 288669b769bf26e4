// jose by hand in Hono, as its documentation has it: a key imported once, issuer, audience, type and algorithm demanded.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { jwtVerify, type JWTPayload } from 'jose'
import { audience, issuer } from '../tokens.ts'
import { answer, hostname, variable } from './environment.ts'

const hmac = { name: 'HMAC', hash: 'SHA-256' }
const key = await crypto.subtle.importKey('raw', Buffer.from(variable('SECRET')), hmac, false, ['verify'])
const demand = { issuer, audience, typ: 'at+jwt', algorithms: ['HS256'] }

const guard = createMiddleware<{ Variables: { claims: JWTPayload } }>(async (c, next) => {
  const [scheme, token] = (c.req.header('authorization') ?? '').split(' ')
  if (scheme !== 'Bearer' || token === undefined) return c.json({ detail: 'Not authenticated' }, 401)
  try {
    const { payload } = await jwtVerify(token, key, demand)
    c.set('claims', payload)
  } catch {
    return c.json({ detail: 'Invalid token' }, 401)
  }
  return next()
})

const app = new Hono().get('/open', (c) => c.json(answer)).get('/guarded', guard, (c) => c.json(answer))

serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
