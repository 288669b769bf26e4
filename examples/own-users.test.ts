// One app in five frameworks, with users in its own table on PostgreSQL and bcrypt hashes.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import { hashSync } from '@node-rs/bcrypt'
import { howToGetPostgres, startPostgres } from '../packages/server/test-support/postgres.ts'

const maxLines = 12
const password = 'an engine of her own'
// The example refuses the PostgreSQL that the tests share, which runs without fsync.
const database = await startPostgres({ durable: true })
if (!database && process.env['CI'] === 'true')
  throw new Error(`these tests need PostgreSQL: ${howToGetPostgres}`)

describe(
  'examples/own-users',
  { skip: database ? false : `no PostgreSQL: ${howToGetPostgres}` },
  async () => {
    if (!database) return
    process.env['DATABASE_URL'] = database.url
    process.env['KEYSTILE_KEY'] = randomBytes(32).toString('base64')
    const { keystile } = await import('./own-users/auth.ts')
    const { pool } = await import('./own-users/people.ts')
    const web = await import('./own-users/web.ts')
    const fastify = (await import('./own-users/fastify.ts')).app
    const hash = hashSync(password, 4)
    await pool.query(
      `insert into people (email, hash, admin, banned) values
     ('ada@example.com', $1, true, false),
     ('bob@example.com', $1, false, false),
     ('eve@example.com', $1, true, true)`,
      [hash],
    )
    after(async () => {
      await fastify.close()
      await keystile.close()
      await pool.end()
      await database.stop()
    })

    const answerWeb = async (request: Request): Promise<Response> => {
      const handler = { GET: web.GET, POST: web.POST }[request.method as 'GET']
      return (await web.answerAuth(request)) ?? handler(request)
    }
    const servers: Readonly<Record<string, () => Promise<Server>>> = {
      hono: async () =>
        createServer(
          getRequestListener((await import('./own-users/hono.ts')).app.fetch) as RequestListener,
        ),
      fastify: async () => {
        await fastify.ready()
        return fastify.server
      },
      express: async () =>
        createServer((await import('./own-users/express.ts')).app as RequestListener),
      node: async () => (await import('./own-users/node.ts')).app,
      web: async () => createServer(getRequestListener(answerWeb) as RequestListener),
    }

    for (const [name, make] of Object.entries(servers)) {
      it(`examples/own-users logs users in and guards their routes in ${name}`, async (t) => {
        const server = await make()
        t.after(() => {
          server.closeAllConnections()
          server.close()
        })
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const logIn = async (username: string): Promise<Response> =>
          fetch(`${url}/auth/token`, {
            method: 'POST',
            body: new URLSearchParams({ username, password }),
          })
        const headersOf = async (username: string): Promise<{ readonly authorization: string }> => {
          const { access_token } = (await (await logIn(username)).json()) as {
            access_token: string
          }
          return { authorization: `Bearer ${access_token}` }
        }
        const [ada, bob] = [await headersOf('ADA@example.com'), await headersOf('bob@example.com')]
        const orders = await fetch(`${url}/orders`, { headers: bob })
        assert.deepEqual(await orders.json(), {
          email: 'bob@example.com',
          orders: ['lamp', 'chair'],
        })
        assert.equal((await fetch(`${url}/orders`, { method: 'POST', headers: ada })).status, 201)
        assert.equal((await fetch(`${url}/orders`, { method: 'POST', headers: bob })).status, 403)
        assert.equal((await fetch(`${url}/orders`)).status, 401)
        assert.equal((await logIn('eve@example.com')).status, 400)
      })

      it(`own-users in ${name} needs at most ${maxLines} lines for Keystile besides guards`, () => {
        const linesOf = (file: string): readonly string[] =>
          readFileSync(join(import.meta.dirname, 'own-users', file), 'utf8').split('\n')
        const auth = linesOf('auth.ts').filter(
          (line) => line !== '' && !line.startsWith('//') && !/people\.ts|process\.env/.test(line),
        )
        const framework = linesOf(`${name}.ts`).filter((line) =>
          /'keystile\/|createGuard\(|mount\(/.test(line),
        )
        assert.ok(auth.length >= 8 && framework.length === 3, 'the test must find the lines')
        assert.ok(auth.length + framework.length <= maxLines, [...auth, ...framework].join('\n'))
      })
    }
  },
)
