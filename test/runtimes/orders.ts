// What a test sends to program.ts in another runtime, and what it gets back.
import type { JwkSet, RefusedRequest, RevocationFeedOptions } from 'keystile'
import type { Jwk } from 'keystile/jwt'
import type { Group, Verdict } from '../conformance/wycheproof.ts'
import type { AlgorithmCase, AlgorithmResult } from './algorithms.ts'

/** What an app did since the test asked last. */
export interface Records {
  readonly handled: readonly string[]
  readonly errors: readonly { readonly isTypeError: boolean; readonly message: string }[]
  readonly refused: readonly RefusedRequest[]
  readonly asked: readonly string[]
  readonly verifications: number
  /** Whether `user` waits for a slow subject. */
  readonly isWaiting: boolean
}

interface Order<Sent, Answered = null> {
  readonly sent: Sent
  readonly answered: Answered
}

/** The requests below /~/, by their names. */
export interface Orders {
  /** Makes an app of `Table` in adapters/app.ts. */
  readonly open: Order<{
    readonly framework: 'hono' | 'web'
    readonly withUser: boolean
    readonly key: Jwk
  }>
  /** Advances the clock of the app. */
  readonly advance: Order<{ readonly seconds: number }>
  readonly hold: Order<object>
  readonly release: Order<object>
  readonly records: Order<object, Records>
  readonly wycheproof: Order<
    { readonly signatures: readonly Group[]; readonly keySets: readonly Group[] },
    readonly Verdict[]
  >
  readonly algorithm: Order<AlgorithmCase, AlgorithmResult>
  /**
   * Makes a guard of tokens whose issuer publishes its keys, or whose keys are given. It reads no
   * revocations, or those of a feed.
   */
  readonly remote: Order<{
    readonly issuer: string
    readonly keys?: JwkSet
    readonly revocations?: RevocationFeedOptions
  }>
  /** Advances the clock of that guard. */
  readonly age: Order<{ readonly seconds: number }>
  /** Returns the message of the error when `signJwt` was called while the program was loaded. */
  readonly loading: Order<object, { readonly error: string | null }>
  /** Returns the headers of a caller of the program's own `createTestIssuer`. */
  readonly testing: Order<object, { readonly authorization: string }>
  /** Returns the code that an authenticator app shows. */
  readonly code: Order<{ readonly secret: string; readonly seconds: number }, string>
}

/** Sends an order. */
export type Send = <N extends keyof Orders>(
  name: N,
  sent: Orders[N]['sent'],
) => Promise<Orders[N]['answered']>
