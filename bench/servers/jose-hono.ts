// A hand-written guard with jose in Hono.
import { createMiddleware } from 'hono/factory'
import type { JWTPayload } from 'jose'
import { serveHono } from './hono-routes.ts'
import { verifyWithJose } from './jose.ts'

serveHono(
  createMiddleware<{ Variables: { claims: JWTPayload } }>(async (c, next) => {
    try {
      const claims = await verifyWithJose(c.req.header('authorization'))
      if (!claims) return c.json({ detail: 'Not authenticated' }, 401)
      c.set('claims', claims)
    } catch {
      return c.json({ detail: 'Invalid token' }, 401)
    }
    return next()
  }),
)
