import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import {
  decodeJwtUnsafe,
  exportPrivateJwk,
  generateKey,
  signJwt,
  type SigningKey,
} from 'keystile/jwt'
import { until } from '../../tools/until.ts'
import { issuingAlgorithms, startIssuer, type RunningIssuer } from './start-issuer.ts'

const python = '/usr/bin/python3'
const packages = ['fastapi', 'uvicorn', 'PyJWT', 'requests-oauthlib', 'Authlib'] as const
const ada = { username: 'ada', password: 'an engine of her own' }
const audience = 'https://items.example'

/** Returns the versions of the Python packages, or what is missing. */
function findOracles(): { readonly versions: string } | { readonly missing: string } {
  const script = [
    'import sys',
    'from importlib.metadata import version',
    "versions = [name + ' ' + version(name) for name in sys.argv[1:]]",
    "print('Python', sys.version.split()[0], *versions, sep=', ')",
  ].join('\n')
  try {
    const versions = execFileSync(python, ['-c', script, ...packages], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { versions: versions.trim().replace(', ', ' ') }
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').at(-1)
    return { missing: `${python} with ${packages.join(', ')} is needed: ${reason}` }
  }
}

const oracles = findOracles()
const skip = 'missing' in oracles && !process.env['CI'] ? oracles.missing : false
if (skip) console.error(`\n*** FastAPI and the Python clients are SKIPPED. ${skip} ***\n`)

it('FastAPI, PyJWT and the Python clients are installed', { skip }, (t) => {
  assert.ok('versions' in oracles, 'missing' in oracles ? oracles.missing : '')
  t.diagnostic(oracles.versions)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface RunningApi {
  get(
    token?: string,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>
  stop(): Promise<void>
}

/** Starts fastapi_app.py under uvicorn. */
async function startFastApi(env: Readonly<Record<string, string>>): Promise<RunningApi> {
  const port = await freePort()
  const args = [
    '-m',
    'uvicorn',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--log-level',
    'warning',
    'fastapi_app:app',
  ]
  const child: ChildProcess = spawn(python, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const exited = once(child, 'exit')
  const kill = (): void => void child.kill()
  process.once('exit', kill)
  const url = `http://127.0.0.1:${port}/items`
  const started = await until(async () => child.exitCode ?? fetch(url).catch(() => undefined))
  assert.ok(started instanceof Response, 'uvicorn does not start')
  return {
    async get(token) {
      const response = await fetch(
        url,
        token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      )
      return {
        status: response.status,
        body: (await response.json()) as Readonly<Record<string, unknown>>,
      }
    },
    async stop() {
      child.kill()
      await exited
      process.off('exit', kill)
    },
  }
}

for (const algorithm of issuingAlgorithms) {
  describe(
    `a FastAPI route that PyJWT guards, with tokens signed with ${algorithm}`,
    { skip },
    () => {
      let server: RunningIssuer
      let api: RunningApi
      let key: SigningKey
      let token: string
      before(async () => {
        key = generateKey(algorithm)
        server = await startIssuer({ signingKey: exportPrivateJwk(key), audience })
        api = await startFastApi({
          ISSUER: server.issuer,
          AUDIENCE: audience,
          ALGORITHM: algorithm,
        })
        await server.register(ada)
        const response = await fetch(`${server.issuer}/token`, {
          method: 'POST',
          body: new URLSearchParams(ada),
        })
        token = ((await response.json()) as { readonly access_token: string }).access_token
      })
      after(async () => {
        await api?.stop()
        await server?.stop()
      })

      /** Changes claims of the token and signs it again with the issuer's own key. */
      const tokenWith = (claims: object): string =>
        signJwt({ ...decodeJwtUnsafe(token).claims, ...claims }, key, { type: 'at+jwt' })
      const now = (): number => Math.floor(Date.now() / 1000)

      it('a FastAPI route accepts our token and reads its subject and scope', async () => {
        const { sub } = decodeJwtUnsafe(token).claims
        assert.deepEqual(await api.get(token), {
          status: 200,
          body: { owner: sub, scope: 'items:read items:write' },
        })
      })

      it('a FastAPI route refuses a request without a token', async () => {
        assert.deepEqual(await api.get(), { status: 401, body: { detail: 'Not authenticated' } })
      })

      it('a FastAPI route refuses an expired token', async () => {
        const expired = tokenWith({ iat: now() - 700, exp: now() - 100 })
        assert.deepEqual(await api.get(expired), {
          status: 401,
          body: { detail: 'ExpiredSignatureError' },
        })
      })

      it('a FastAPI route refuses a token whose claims were changed', async () => {
        const [header, , signature] = token.split('.')
        const payload = Buffer.from(
          JSON.stringify({ ...decodeJwtUnsafe(token).claims, scope: 'users:write' }),
        )
        const changed = `${header}.${payload.toString('base64url')}.${signature}`
        assert.deepEqual(await api.get(changed), {
          status: 401,
          body: { detail: 'InvalidSignatureError' },
        })
      })

      it('a FastAPI route refuses a token for another audience', async () => {
        const theirs = tokenWith({ aud: 'https://orders.example' })
        assert.deepEqual(await api.get(theirs), {
          status: 401,
          body: { detail: 'InvalidAudienceError' },
        })
      })

      it('a FastAPI route refuses a token that was signed with another key', async () => {
        const forged = signJwt(decodeJwtUnsafe(token).claims, generateKey(algorithm), {
          type: 'at+jwt',
        })
        assert.deepEqual(await api.get(forged), {
          status: 401,
          body: { detail: 'PyJWKClientError' },
        })
      })
    },
  )
}

describe('POST /token for Python clients', { skip }, () => {
  interface Said {
    readonly access_token?: string
    readonly token_type?: string
    readonly scope?: string | readonly string[]
    /**
     * The scope after a refresh. `revoked` is the status of a revocation, and `then` the error of a
     * refresh after the revocation.
     */
    readonly refreshed?: string | readonly string[]
    readonly revoked?: number
    readonly then?: string
    readonly error?: string
    readonly description?: string
  }
  let server: RunningIssuer
  before(async () => {
    server = await startIssuer({})
    await server.register(ada)
  })
  after(() => server?.stop())

  /**
   * Logs in with each Python client, in five ways. Returns each outcome as the client reports it.
   */
  async function runClients(env: {
    readonly PASSWORD?: string
    readonly SCOPE?: string
    readonly OAUTHLIB_RELAX_TOKEN_SCOPE?: string
  }): Promise<readonly [string, Said][]> {
    const { stdout } = await promisify(execFile)(python, ['python_clients.py'], {
      cwd: import.meta.dirname,
      env: {
        ...process.env,
        PYTHONDONTWRITEBYTECODE: '1',
        OAUTHLIB_INSECURE_TRANSPORT: '1',
        AUTHLIB_INSECURE_TRANSPORT: '1',
        TOKEN_URL: `${server.issuer}/token`,
        REVOCATION_URL: `${server.issuer}/revoke`,
        USERNAME: ada.username,
        PASSWORD: ada.password,
        SCOPE: 'items:read',
        ...env,
      },
    })
    const said = Object.entries(JSON.parse(stdout) as Readonly<Record<string, Said>>)
    assert.equal(said.length, 5)
    return said
  }
  const scopesOf = ({ scope }: Said): string =>
    typeof scope === 'string' ? scope : (scope ?? []).join(' ')

  it('with the client id in header or body, requests-oauthlib and authlib get tokens', async () => {
    for (const [client, said] of await runClients({})) {
      assert.equal(said.token_type, 'bearer', `${client}: ${JSON.stringify(said)}`)
      assert.equal(decodeJwtUnsafe(said.access_token!).claims['client_id'], 'first-party', client)
      assert.equal(scopesOf(said), 'items:read', client)
    }
  })

  it('requests-oauthlib and authlib refresh and revoke tokens', async () => {
    for (const [client, { refreshed, revoked, then }] of await runClients({})) {
      assert.deepEqual(
        [[refreshed].flat(), revoked, then],
        [['items:read'], 200, 'invalid_grant'],
        client,
      )
    }
  })

  it('requests-oauthlib and authlib see that the server granted fewer scopes', async () => {
    // Without OAUTHLIB_RELAX_TOKEN_SCOPE, oauthlib raises an error when the scope differs.
    const narrowed = await runClients({
      SCOPE: 'items:write users:write',
      OAUTHLIB_RELAX_TOKEN_SCOPE: '1',
    })
    for (const [client, said] of narrowed)
      assert.equal(scopesOf(said), 'items:write', `${client}: ${JSON.stringify(said)}`)
  })

  it('requests-oauthlib and authlib raise invalid_grant for a wrong password', async () => {
    for (const [client, said] of await runClients({ PASSWORD: 'not her engine' }))
      assert.deepEqual(
        said,
        { error: 'invalid_grant', description: 'Incorrect username or password' },
        client,
      )
  })
})
