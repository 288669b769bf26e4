// A login is a value. It grows with each proof, and does not depend on the request that began it.
import type { Spent, Use } from '../../operations/limits/uses.ts'
import type { Client } from '../../tokens/clients/clients.ts'
import type { Device } from '../known-devices/devices.ts'

/** Who asks for a login, and for what. */
export interface AskedLogin {
  /** The endpoint at which the login began. An attempt goes on only there. */
  readonly front: string
  readonly client: Client
  /** Undefined asks for all scopes that may be granted. */
  readonly scopes: readonly string[] | undefined
  /** The `User-Agent`, shown in the person's list of sessions. */
  readonly device: string | undefined
  readonly address?: string | undefined
  readonly acceptLanguage?: string | undefined
  /** The secret from the last login on this device. */
  readonly deviceSecret: string | undefined
  /** The user whose password is proved. Undefined if the typed name says which user it is. */
  readonly passwordOf?: string | undefined
  /** The `auth_session` of the attempt that goes on; undefined for a new attempt. */
  readonly authSession: string | undefined
  /**
   * The S256 challenge of the client (RFC 7636 §4.2). With it, the login ends with an authorization
   * code instead of a session.
   */
  readonly codeChallenge?: string | undefined
  /** See `NewSession.browserId`: the login is one of a browser at the pages. */
  readonly browserId?: string | undefined
  /** Whether the person wants this device to be remembered, so that it spares the next factors. */
  readonly remembersDevice?: boolean | undefined
  readonly demand?: LoginDemand | undefined
  /** The session that this login replaces: then the login is a step-up. */
  readonly replaces?: NamedSession | undefined
}

/** What the caller demands of a login (RFC 9470 §4). */
export interface LoginDemand {
  /** Whether the login must end with the `acr` `mfa`. */
  readonly needsFactor: boolean
  readonly maxAgeSeconds?: number | undefined
}

/** A session that a caller has named by one of its tokens. */
export interface NamedSession {
  readonly id: string
  /** The scopes of that token. A step-up never grants more. */
  readonly scopes: readonly string[]
}

/** The session that a step-up replaces, as it is stored. Its values never change. */
export interface ReplacedSession extends NamedSession {
  readonly subject: string
  /** Undefined if it is unknown how the person authenticated. */
  readonly amr: readonly string[] | undefined
  readonly authenticatedAt: number
  readonly startedAt: number
  readonly expiresAt: number
  /**
   * Whether its login was as recent as the caller demands, when this request arrived. Decided once,
   * so that a session cannot become too old between two checks of one request.
   */
  readonly isRecent: boolean
}

export interface Proof {
  readonly method: string
  /** In milliseconds. */
  readonly at: number
  /**
   * Identifies the credential that was proved, such as the salt of a password hash. The login ends
   * only if the account still has this credential.
   */
  readonly mark: string
}

/** How a login was counted. A login is counted once, with its first proof. */
export interface CountedLogin {
  /** The transaction that ends the login refunds these uses of rate limits. */
  readonly spent: Spent
  /** See `Device.id`. Undefined if the device is not known as one of the user. */
  readonly deviceId: string | undefined
  /** See `Device.appId`. */
  readonly appId: string | undefined
  /** See `Device.appSince`. */
  readonly appSince: number | undefined
  /** See `Device.rememberedId`. */
  readonly rememberedId: string | undefined
  /** How long the writes of this login may wait, so that they share a commit with other writes. */
  readonly patienceMilliseconds: number
}

/** A second factor that is set up within a login. The database has it encrypted. */
export interface Enrolment {
  /** The secret of the authenticator app, in base32. */
  readonly secret: string
  /** Undefined if Keystile can write to no mailbox of the user. */
  readonly emailCode?:
    | {
        readonly hash: string
        /** The address that got the code. */
        readonly recipient: string
      }
    | undefined
}

/** One login of one person, from its first step to its session. */
export interface LoginAttempt {
  readonly asked: AskedLogin
  /** Undefined until something is proved. */
  readonly subject: string | undefined
  readonly proofs: readonly Proof[]
  readonly counted: CountedLogin | undefined
  /** Undefined unless the person must set up a second factor within this login. */
  readonly enrolment?: Enrolment | undefined
  /** The `auth_session` of the next step. Undefined as long as nothing is stored. */
  readonly authSession: string | undefined
  /** Undefined if the login is no step-up. */
  readonly replaced?: ReplacedSession | undefined
}

/** Returns the user of an attempt whose first step is proved. */
export function subjectOf({ subject }: LoginAttempt): string {
  if (subject === undefined) throw new Error('a second step must come after a first one')
  return subject
}

/** Adds a proof to an attempt. Another proof by the same method replaces the earlier one. */
export function withProof(attempt: LoginAttempt, subject: string, proof: Proof): LoginAttempt {
  const others = attempt.proofs.filter(({ method }) => method !== proof.method)
  return { ...attempt, subject, proofs: [...others, proof] }
}

/** Returns the mark of each proof by the name of its method. */
export function marksOf(proofs: readonly Proof[]): Readonly<Record<string, string>> {
  return Object.fromEntries(proofs.map(({ method, mark }) => [method, mark]))
}

/** @param device undefined if the device is not known as one of the user */
export function countedOn(
  device: Device | undefined,
  values: Pick<CountedLogin, 'spent' | 'patienceMilliseconds'>,
): CountedLogin {
  const { id: deviceId, appId, appSince, rememberedId } = device ?? {}
  return { ...values, deviceId, appId, appSince, rememberedId }
}

/** Adds uses of rate limits, which the transaction that ends the login refunds. */
export function withUses(attempt: LoginAttempt, uses: readonly Use[]): LoginAttempt {
  const { counted } = attempt
  if (!counted) return attempt
  const spent = { ...counted.spent, uses: [...counted.spent.uses, ...uses] }
  return { ...attempt, counted: { ...counted, spent } }
}
