// Better Auth under Hono, with e-mail and password, on SQLite; /users/me answers the user that
// getSession returns.
import { DatabaseSync } from 'node:sqlite'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { answer, hostname, variable } from '../servers/environment.ts'

/**
 * The parts of Better Auth that are used. It is installed only for measurements, so its own types
 * may be absent.
 */
interface BetterAuth {
  handler(request: Request): Promise<Response>
  readonly options: unknown
  readonly api: {
    getSession(input: { headers: Headers }): Promise<{ readonly user: object } | null>
  }
}
interface BetterAuthModule {
  betterAuth(options: object): BetterAuth
}
interface MigrationModule {
  getMigrations(options: unknown): Promise<{ runMigrations(): Promise<void> }>
}

const [name, migration] = ['better-auth', 'better-auth/db/migration']
const { betterAuth } = (await import(name)) as BetterAuthModule
const { getMigrations } = (await import(migration)) as MigrationModule

const port = Number(variable('PORT'))
const auth = betterAuth({
  baseURL: `http://${hostname}:${port}`,
  secret: variable('SECRET'),
  database: new DatabaseSync(variable('DATABASE')),
  emailAndPassword: { enabled: true },
  // All requests come from one address here.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
})
await (await getMigrations(auth.options)).runMigrations()

const unauthenticated = { detail: 'Not authenticated' }
const app = new Hono()
  .get('/open', (c) => c.json({ status: 'ok' }))
  .on(['POST', 'GET'], '/api/auth/*', (c) => auth.handler(c.req.raw))
  .get('/users/me', async (c) => {
    const session = await auth.api.getSession({ headers: c.req.raw.headers })
    return session ? c.json(session.user) : c.json(unauthenticated, 401)
  })
  .get('/guarded', async (c) => {
    const session = await auth.api.getSession({ headers: c.req.raw.headers })
    return session ? c.json(answer) : c.json(unauthenticated, 401)
  })

serve({ fetch: app.fetch, port, hostname })
