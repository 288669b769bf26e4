// Tests that Keystile treats unstorable text as an unknown value. Unstorable text has U+0000, which
// PostgreSQL refuses, or a lone surrogate, which a database driver replaces. The tests send it as
// every parameter and member of every operation, and as claims of signed tokens.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { exportPrivateJwk, generateKey, signJwt } from 'keystile/jwt'
import { z } from 'zod'
import {
  bothDirectories,
  describeOnBoth,
  issuer,
  password,
  type SendOptions,
} from '../../packages/server/test-support/keystile.ts'
import type { TestKeystile } from '../../packages/server/test-support/keystile.ts'

const texts = ['\0', 'a\0b', 'ada\0', '\ud800', 'a\udfffb']

/** Percent-encodes a text. A lone surrogate becomes three bytes that are not valid UTF-8. */
const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replaceAll('%EF%BF%BD', '%ED%A0%80')

const formOf = (members: Readonly<Record<string, string>>): string =>
  Object.entries(members)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&')

interface Operation {
  readonly method: string
  readonly path: string
  readonly query: readonly string[]
  readonly isForm: boolean
  readonly members: readonly string[]
  readonly isGuarded: boolean
}

/** Returns the operations of the document, with the names of their parameters and members. */
function operationsOf({ document }: TestKeystile): readonly Operation[] {
  interface Documented {
    readonly parameters?: readonly { readonly name: string; readonly in: string }[]
    readonly requestBody?: {
      readonly content: Readonly<
        Record<string, { readonly schema: { readonly properties?: object } }>
      >
    }
    readonly security?: readonly object[]
  }
  const { paths } = document as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>
  }
  const base = new URL(issuer).pathname
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ['get', 'post', 'patch', 'delete'].includes(method))
      .map(([method, { parameters = [], requestBody, security }]) => {
        const [[type, { schema }] = ['', { schema: {} }]] = Object.entries(
          requestBody?.content ?? {},
        )
        return {
          method: method.toUpperCase(),
          path: path.startsWith(base) ? path.slice(base.length) : path,
          query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
          isForm: type.includes('form'),
          members: Object.keys(schema.properties ?? {}),
          isGuarded: security !== undefined,
        }
      }),
  )
}

for (const directory of bothDirectories) {
  describeOnBoth(
    'text that a database cannot store',
    (stage) => {
      const key = generateKey('ES256')

      async function start(): Promise<TestKeystile & { readonly errors: readonly unknown[] }> {
        const errors: unknown[] = []
        const logger = {
          debug() {},
          info() {},
          warn() {},
          error: (fields: object) => void errors.push(fields),
        }
        const started = await stage.start({
          ...(directory === 'accounts' && {
            profile: z.looseObject({}),
            mail: { from: 'no-reply@example.com', send: () => undefined },
            emailVerification: 'optional',
          }),
          signingKey: exportPrivateJwk(key),
          cookieSession: true,
          logger,
        })
        return { ...started, errors }
      }

      it('no operation answers 5xx for text that a database cannot store', async () => {
        const keystile = await start()
        const { subject } = await keystile.tokens()
        await keystile.setScopes(subject, ['users:read', 'users:write'])
        const bearer = (await keystile.login()).json['access_token'] as string
        const client = await keystile.addClient({ id: 'orders', may: ['introspect'] })
        const good: Readonly<Record<string, string>> = {
          username: 'ada',
          password,
          current_password: password,
          new_password: 'an engine of her own',
          new_email: 'new@example.com',
          login: 'ada',
          token: 'unknown',
          grant_type: 'password',
          ...client,
        }
        const origin = new URL(issuer).origin
        for (const operation of operationsOf(keystile)) {
          const { method, path, query, isForm, members } = operation
          const send = async (
            label: string,
            target: string,
            options: SendOptions = {},
          ): Promise<void> => {
            const headers = { origin, ...options.headers }
            const { status, text } = await keystile.send(method, target, {
              bearer,
              ...options,
              headers,
            })
            assert.ok(status < 500, `${stage.kind} ${method} ${path} ${label}: ${status} ${text}`)
          }
          const filled = path.replace(/\{\w+\}/g, subject)
          for (const text of texts) {
            if (filled !== path) await send('path', path.replace(/\{\w+\}/g, encode(text)))
            for (const name of query) await send(name, `${filled}?${name}=${encode(text)}`)
            // A valid DELETE with the user's token would delete the account or session that later
            // requests need.
            if (method === 'DELETE' && path !== '/session') continue
            for (const name of method === 'GET' ? [] : [...members, 'other']) {
              const sent = Object.fromEntries(
                members.filter((m) => m in good).map((m) => [m, good[m]!]),
              )
              if (!isForm) await send(name, filled, { json: { ...sent, [name]: text } })
              else {
                const type = { 'content-type': 'application/x-www-form-urlencoded' }
                await send(name, filled, { headers: type, body: formOf({ ...sent, [name]: text }) })
              }
            }
            const cookie = ['__Secure-keystile', '__Secure-keystile-device'].map(
              (name) => `${name}=${encode(text)}`,
            )
            await send('cookie', filled, { headers: { cookie: cookie.join('; ') } })
            const basic = Buffer.from(`${encode(text)}:${encode(text)}`).toString('base64')
            const raw = Buffer.from(`${text}:${text}`).toString('base64')
            for (const credential of [basic, raw])
              await send('basic', filled, {
                headers: { authorization: `Basic ${credential}` },
                ...(isForm && { form: good }),
              })
          }
        }
        assert.deepEqual(keystile.errors, [])
      })

      it('a signed token gets 401 if its sub, sid or client_id cannot be stored', async () => {
        const keystile = await start()
        const { subject, sessionId } = await keystile.tokens()
        const now = Math.floor(Date.now() / 1000)
        const claims = {
          iss: issuer,
          aud: issuer,
          sub: subject,
          sid: sessionId,
          client_id: 'first-party',
          jti: 'x',
          scope: 'users:read users:write',
          iat: now,
          auth_time: now,
          exp: now + 600,
        }
        const client = await keystile.addClient({ id: 'orders', may: ['introspect'] })
        const sign = (changed: object): string =>
          signJwt({ ...claims, ...changed }, key, { type: 'at+jwt' })
        assert.equal((await keystile.open([], { bearer: sign({}) })).status, 200)
        for (const text of texts) {
          for (const name of ['sub', 'sid', 'client_id', 'jti', 'scope', 'nonce']) {
            const bearer = sign({ [name]: text })
            const isRefused = ['sub', 'sid', 'client_id'].includes(name)
            const label = `${stage.kind} ${name} ${JSON.stringify(text)}`
            for (const { method, path, isGuarded, members } of operationsOf(keystile)) {
              if (!isGuarded || (method === 'DELETE' && !isRefused)) continue
              const json = method === 'GET' || method === 'DELETE' ? undefined : { city: 'x' }
              const target = path.replace(/\{\w+\}/g, subject)
              const { status, text: answer } = await keystile.send(method, target, {
                bearer,
                ...(json && { json }),
              })
              if (isRefused)
                assert.equal(status, 401, `${label} ${method} ${path} ${members.join()} ${answer}`)
              else assert.ok(status < 500, `${label} ${method} ${path}: ${status} ${answer}`)
            }
            const opened = await keystile.open([], { bearer })
            assert.ok(
              isRefused ? opened.status === 401 : opened.status < 500,
              `${label} app: ${opened.text}`,
            )
            const introspected = await keystile.send('POST', '/introspect', {
              form: { ...client, token: bearer },
            })
            assert.equal(introspected.status, 200, label)
            if (isRefused) {
              assert.deepEqual(introspected.json, { active: false }, label)
              const revoked = await keystile.send('POST', '/revoke', { form: { token: bearer } })
              assert.equal(revoked.status, 200, `${label} ${revoked.text}`)
            }
          }
        }
        assert.equal(
          (await keystile.open([], { bearer: sign({}) })).status,
          200,
          'the session goes on',
        )
        assert.deepEqual(keystile.errors, [])
      })

      it('keystile.sessions finds nothing for an id that cannot be stored', async () => {
        const { keystile, tokens } = await start()
        await tokens()
        for (const text of texts) {
          await assert.rejects(keystile.sessions.create({ subject: text }), { code: 'not_found' })
          assert.deepEqual(await keystile.sessions.list(text), [])
          await keystile.sessions.revoke(text)
          await keystile.sessions.revokeAll(text)
        }
      })
    },
    [directory],
  )
}
