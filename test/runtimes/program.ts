// What the tests run in Deno, Bun and workerd, bundled with the packed library: the apps of the
// adapter tests, and routes below /~/ by which the tests control them.
import { createVerifier } from 'keystile'
import { canSign } from 'keystile/internal'
import { generateKey, importKey, signJwt } from 'keystile/jwt'
import { createAuthenticatorApp, createTestIssuer } from 'keystile/testing'
import { createGuard } from 'keystile/web'
import { createStage, type Stage, type Table } from '../adapters/app.ts'
import { makeHonoApp } from '../adapters/hono-app.ts'
import { makeWebApp } from '../adapters/web-app.ts'
import { judgeKeySets, judgeSignatures } from '../conformance/wycheproof.ts'
import { tryAlgorithm } from './algorithms.ts'
import type { Orders, Records } from './orders.ts'

type Answer = (request: Request) => Response | Promise<Response>

const makers = { hono: makeHonoApp, web: makeWebApp }
const nothing = (): Response => Response.json({ missing: true }, { status: 404 })

// Made here and not in a request, because apps do so.
const testIssuer = createTestIssuer()
const guardOfTests = createGuard({ verifier: testIssuer.verifier })

let loading: string | null = null
try {
  signJwt({}, generateKey('ES256'), { expiresInSeconds: 60 })
} catch (error) {
  loading = (error as Error).message
}

let stage: Stage | undefined
const slow = { isWaiting: false, isReleased: false }
let app: Answer = nothing
let remote: Answer = nothing
let closeRemote = (): void => {}
let offset = 0

/**
 * Makes `user` wait for slow subjects until the test releases them. The request itself looks again
 * and again: a Worker ends a request that waits only for another one.
 */
function waitingIn(held: Stage): Table {
  const { table } = held
  const { user } = table.options
  if (!user) return table

  const slowly: typeof user = async (identity) => {
    if (identity.subject.startsWith('slow')) {
      slow.isWaiting = true
      while (!slow.isReleased) await new Promise((resolve) => setTimeout(resolve, 5))
      held.hold()
      held.release()
    }
    return user(identity)
  }
  return { ...table, options: { ...table.options, user: slowly } }
}

/** Returns the records since the last call, and empties them. */
function takeRecords(): Records {
  const { handled = [], errors = [], refused = [], asked = [], verifications = 0 } = stage ?? {}
  if (stage) stage.verifications = 0
  return {
    handled: handled.splice(0),
    errors: errors.splice(0).map((error) => ({
      isTypeError: error instanceof TypeError,
      message: error instanceof Error ? error.message : String(error),
    })),
    refused: refused.splice(0),
    asked: asked.splice(0),
    verifications,
    isWaiting: slow.isWaiting,
  }
}

const orders: { readonly [name in keyof Orders]: (order: Orders[name]['sent']) => unknown } = {
  open({ framework, withUser, key }) {
    const signingKey = importKey(key)
    if (!canSign(signingKey)) throw new TypeError('the JWK must have its private members')
    stage = createStage({ withUser, signingKey })
    app = makers[framework](waitingIn(stage))
  },
  advance: ({ seconds }) => stage?.advance(seconds),
  hold() {
    slow.isWaiting = slow.isReleased = false
  },
  release() {
    slow.isReleased = true
  },
  records: takeRecords,
  wycheproof: ({ signatures, keySets }) => [
    ...judgeSignatures(signatures),
    ...judgeKeySets(keySets),
  ],
  algorithm: tryAlgorithm,
  remote({ issuer, keys, revocations = 'none' as const }) {
    offset = 0
    const clock = { now: () => Date.now() + offset }
    const given = keys && { keys }
    closeRemote()
    const verifier = createVerifier({ issuer, audience: 'api', revocations, clock, ...given })
    closeRemote = verifier.close
    remote = createGuard({ verifier })()((_request, { identity }) =>
      Response.json(identity.subject),
    )
  },
  age({ seconds }) {
    offset += seconds * 1000
  },
  loading: () => ({ error: loading }),
  testing: () => testIssuer.headers({ subject: 'ada' }),
  code: ({ secret, seconds }) => createAuthenticatorApp(secret).code(new Date(seconds * 1000)),
}

/** Answers a request in each of the runtimes. */
export async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/remote') return remote(request)
  if (pathname === '/testing')
    return guardOfTests()((_request, { identity }) => Response.json(identity.subject))(request)
  if (!pathname.startsWith('/~/')) return app(request)

  const name = pathname.slice(3) as keyof Orders
  // The type of what is sent follows from the name.
  const order = orders[name] as (sent: unknown) => unknown
  return Response.json((await order(await request.json())) ?? null)
}
