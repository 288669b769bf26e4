// The routes of the app that each framework builds for the table of cases, and the app's records
// during a test.
import type { RequestListener } from 'node:http'
import {
  createVerifier,
  type Caller,
  type DemandArguments,
  type GuardOptions,
  type Identity,
  type RefusedRequest,
  type Verifier,
} from 'keystile'
import { issueAccessToken, keySetOf } from 'keystile/internal'
import { generateKey, type SigningKey } from 'keystile/jwt'

export const issuer = 'https://auth.example'
export const scopes = {
  'items:read': 'Read items',
  'items:list': 'List items',
  'items:write': 'Change items',
}
export type Scope = keyof typeof scopes
export interface User {
  readonly name: string
  readonly emailVerified?: unknown
}

/**
 * The parts of an app. Each app serves these routes with its framework's own routers and parsers:
 *
 *     any  /items          guard('items:read')
 *     any  /items/new      guard('items:write')
 *     any  /any            guard.anyOf('items:write', ['items:read', 'items:list'])
 *     GET  /me             guard()
 *     GET  /news           guard.optional()
 *     GET  /news/strict    guard.optional(), but the handler calls guard.caller()
 *     GET  /recent         guard({ scopes: ['items:read'], maxAgeSeconds: 300 })
 *     GET  /strong         guard({ acr: 'mfa' })
 *     GET  /verified       guard(...verified)
 *     GET  /verified/any   guard.anyOf('items:write', ['items:read', 'items:list']), then
 *                          guard(...verified)
 *     GET  /verified/news  guard.optional(...verified)
 *     GET  /secret         guard(), and the handler does not call guard.caller()
 *     GET  /open           no guard, but the handler calls guard.caller()
 *     GET  /throws         guard(), and the handler throws
 *     POST /parsed/after   guard(), then a JSON parser
 *     POST /parsed/before  a JSON parser, then guard()
 *     /area                a router behind guard('items:read')
 *       GET /area/read       no second guard
 *       GET /area/write      guard('items:write')
 *       GET /area/recent     guard({ maxAgeSeconds: 300 })
 *       GET /area/strong     guard({ acr: 'mfa', maxAgeSeconds: 300 })
 *       GET /area/news       guard.optional()
 *       GET /area/verified   guard(...verified)
 *     /lounge              a router behind guard.optional()
 *       GET /lounge/anybody  no second guard
 *       GET /lounge/members  guard()
 */
export interface Table {
  readonly options: GuardOptions<Scope, User | undefined>
  /** The demand of a verified e-mail address; no demand if the app has no users. */
  readonly verified: DemandArguments<Scope>
  /** Returns the JSON that a handler answers with. */
  answer(
    route: string,
    caller: Caller<Scope, User | undefined> | undefined,
    body?: unknown,
  ): Answered
  /**
   * Returns the JSON that the app's own error handler answers with. The status of that answer is
   * 500.
   */
  fail(error: unknown): { readonly failed: string }
}

export interface Answered {
  readonly route: string
  readonly subject: string | null
  readonly user: string | null
  readonly body?: unknown
}

export type MakeApp = (table: Table) => RequestListener | Promise<RequestListener>
/** Makes an app of a framework that answers a web Request. */
export type MakeFetch = (table: Table) => (request: Request) => Response | Promise<Response>

/** The parts of one app, and the app's records during a test. */
export interface Stage {
  readonly table: Table
  readonly withUser: boolean
  /** The routes whose handlers ran. */
  readonly handled: string[]
  readonly errors: unknown[]
  /** The refusals that `onRefused` was called with. */
  readonly refused: RefusedRequest[]
  /** The subjects for which `user` was called. */
  readonly asked: string[]
  /**
   * How often a guard called `verify`, which returns a promise. For a remembered token, a guard
   * only calls `recall`.
   */
  verifications: number
  /** Returns the value of an `Authorization` header: `Bearer` and a token with this content. */
  bearer(content?: TokenContent): string
  advance(seconds: number): void
  /** Lets the waiting call of `user` return. Calls wait for subjects that begin with "slow". */
  release: () => void
  /** Resolves when `user` is called for a subject that begins with "slow". */
  waiting: Promise<void>
  /** Makes the next slow call of `user` wait: replaces `release` and `waiting`. */
  hold(): void
}

export interface TokenContent {
  readonly subject?: string
  readonly scopes?: readonly Scope[]
  readonly audience?: string
  /** How many seconds ago the subject of the token logged in. */
  readonly ageSeconds?: number
  readonly acr?: string
}

const ownKey = generateKey('ES256')

/** @param signingKey the key of the issuer. Default: one for all stages of this process */
export function createStage({
  withUser,
  signingKey = ownKey,
}: {
  readonly withUser: boolean
  readonly signingKey?: SigningKey
}): Stage {
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
    /* oxlint-disable typescript/prefer-promise-reject-errors */
    if (subject === 'rejects-nothing') return Promise.reject()
    if (subject === 'rejects-null') return Promise.reject(null)
    // Express skips handlers if 'route' or 'router' is passed to next().
    if (subject === 'rejects-route') return Promise.reject('route')
    if (subject === 'rejects-router') return Promise.reject('router')
    /* oxlint-enable typescript/prefer-promise-reject-errors */
    const found = subject.endsWith('-ghost') ? undefined : userNamed(subject)
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
      verified: withUser ? [{ verified: true }] : [],
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
    bearer({ subject = 'alice', scopes = [], audience = 'api', ageSeconds = 0, acr } = {}) {
      const authenticatedAt = now - ageSeconds * 1000
      const content = {
        issuer,
        audience,
        subject,
        clientId: 'app',
        sessionId: 's',
        scopes,
        authenticatedAt,
        ...(acr !== undefined && { acr }),
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

/** Returns a user with a verified e-mail address, unless the name begins with "unverified". */
function userNamed(subject: string): User {
  const name = subject.toUpperCase()
  switch (subject) {
    case 'unverified':
      return { name, emailVerified: false }
    case 'unverified-by-text':
      return { name, emailVerified: 'true' }
    case 'unverified-by-absence':
      return { name }
    default:
      return { name, emailVerified: true }
  }
}
