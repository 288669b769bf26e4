// The app that every framework serves for the table: what it is made of, and what it remembers of a
// test.
import type { RequestListener } from 'node:http'
import {
  createVerifier,
  type Caller,
  type GuardOptions,
  type Identity,
  type RefusedRequest,
  type Verifier,
} from 'keystile'
import { issueAccessToken, keySetOf } from 'keystile/internal'
import { generateKey } from 'keystile/jwt'

export const issuer = 'https://auth.example'
export const scopes = {
  'items:read': 'Read items',
  'items:list': 'List items',
  'items:write': 'Change items',
}
export type Scope = keyof typeof scopes
export interface User {
  readonly name: string
}

/**
 * What an app is made from. Each serves these routes, with its framework's own means for routers
 * and parsers:
 *
 *     any  /items          guard('items:read')
 *     any  /items/new      guard('items:write')
 *     any  /any            guard.anyOf('items:write', ['items:read', 'items:list'])
 *     GET  /me             guard()
 *     GET  /news           guard.optional()
 *     GET  /news/strict    guard.optional(), but the handler asks guard.caller
 *     GET  /recent         guard({ scopes: ['items:read'], maxAgeSeconds: 300 })
 *     GET  /secret         guard(), and the handler does not ask who it is
 *     GET  /open           no guard, but the handler asks guard.caller
 *     GET  /throws         guard(), and the handler throws
 *     POST /parsed/after   guard(), then a JSON parser
 *     POST /parsed/before  a JSON parser, then guard()
 *     /area                a router behind guard('items:read')
 *       GET /area/read       and nothing else
 *       GET /area/write      guard('items:write')
 *       GET /area/recent     guard({ maxAgeSeconds: 300 })
 *       GET /area/news       guard.optional()
 *     /lounge              a router behind guard.optional()
 *       GET /lounge/anybody  and nothing else
 *       GET /lounge/members  guard()
 */
export interface Table {
  readonly options: GuardOptions<Scope, User | undefined>
  /** What a handler answers, as JSON. */
  answer(
    route: string,
    caller: Caller<Scope, User | undefined> | undefined,
    body?: unknown,
  ): Answered
  /** What the app's own handler of errors answers, as JSON with the status 500. */
  fail(error: unknown): { readonly failed: string }
}

export interface Answered {
  readonly route: string
  readonly subject: string | null
  readonly user: string | null
  readonly body?: unknown
}

export type MakeApp = (table: Table) => RequestListener | Promise<RequestListener>

/** One app's table, and what happened in the app. */
export interface Stage {
  readonly table: Table
  readonly withUser: boolean
  /** The routes whose handlers ran. */
  readonly handled: string[]
  readonly errors: unknown[]
  /** What `onRefused` got. */
  readonly refused: RefusedRequest[]
  /** The subjects whose user was asked for. */
  readonly asked: string[]
  /** How often a token was proved or looked up by waiting. */
  verifications: number
  /** An `Authorization` value. */
  bearer(content?: TokenContent): string
  advance(seconds: number): void
  /** Lets `user` go on for subjects that begin with "slow". */
  release: () => void
  /** Resolves when `user` is asked for a subject that begins with "slow". */
  waiting: Promise<void>
  /** Makes `release` and `waiting` anew. */
  hold(): void
}

export interface TokenContent {
  readonly subject?: string
  readonly scopes?: readonly Scope[]
  readonly audience?: string
  /** How long ago its subject logged in. */
  readonly ageSeconds?: number
}

const signingKey = generateKey('ES256')

export function createStage({ withUser }: { readonly withUser: boolean }): Stage {
  let now = Date.UTC(2027, 0, 15, 8)
  const clock = { now: () => now }
  const verifier = createVerifier({
    issuer,
    audience: 'api',
    keys: keySetOf([signingKey]),
    revocations: 'none',
    clock,
  })
  const counting: Verifier = {
    issuer,
    state: 'current',
    ready: () => verifier.ready(),
    close: () => verifier.close(),
    recall: (token) => verifier.recall?.(token),
    verify(token, demand) {
      stage.verifications++
      return verifier.verify(token, demand)
    },
  }
  let held: Promise<void>
  let announce: () => void

  const user = ({
    subject,
  }: Identity<Scope>): User | undefined | null | Promise<User | undefined> => {
    stage.asked.push(subject)
    if (subject === 'ghost') return undefined
    if (subject === 'null') return null
    if (subject === 'throws') throw new Error('select * from people')
    if (subject === 'rejects') return Promise.reject(new Error('select * from people'))
    if (subject === 'rejects-nothing') return Promise.reject() // oxlint-disable-line typescript/prefer-promise-reject-errors
    if (subject === 'rejects-null') return Promise.reject(null) // oxlint-disable-line typescript/prefer-promise-reject-errors
    // Two words that Express takes from whoever calls next().
    if (subject === 'rejects-route') return Promise.reject('route') // oxlint-disable-line typescript/prefer-promise-reject-errors
    if (subject === 'rejects-router') return Promise.reject('router') // oxlint-disable-line typescript/prefer-promise-reject-errors
    const found = subject.endsWith('-ghost') ? undefined : { name: subject.toUpperCase() }
    if (!subject.startsWith('slow')) return found
    announce()
    return held.then(() => found)
  }

  const stage: Stage = {
    withUser,
    table: {
      options: {
        verifier: counting,
        scopes,
        ...(withUser && { user }),
        onRefused: (told) => void stage.refused.push(told),
      },
      answer(route, caller, body) {
        stage.handled.push(route)
        return {
          route,
          subject: caller?.identity.subject ?? null,
          user: caller?.user?.name ?? null,
          ...(body !== undefined && { body }),
        }
      },
      fail(error) {
        stage.errors.push(error)
        return { failed: error instanceof TypeError ? 'TypeError' : 'Error' }
      },
    },
    handled: [],
    errors: [],
    refused: [],
    asked: [],
    verifications: 0,
    bearer({ subject = 'alice', scopes = [], audience = 'api', ageSeconds = 0 } = {}) {
      const authenticatedAt = now - ageSeconds * 1000
      const content = {
        issuer,
        audience,
        subject,
        clientId: 'app',
        sessionId: 's',
        scopes,
        authenticatedAt,
      }
      return `Bearer ${issueAccessToken(content, signingKey, 600, clock)}`
    },
    advance(seconds) {
      now += seconds * 1000
    },
    release: () => {},
    waiting: Promise.resolve(),
    hold() {
      const gate = Promise.withResolvers<void>()
      const call = Promise.withResolvers<void>()
      held = gate.promise
      announce = call.resolve
      stage.release = gate.resolve
      stage.waiting = call.promise
    },
  }
  stage.hold()
  return stage
}
