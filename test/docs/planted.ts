// Makes the callbacks of a recipe fail on demand. The guard and the server around them are the real
// ones.
import type { Identity, Verifier } from 'keystile'
import { createTestIssuer, type TestIssuer } from 'keystile/testing'

export type Mode =
  | 'work'
  | 'user throws'
  | 'user rejects'
  | 'user waits'
  | 'directory throws'
  | 'handler throws'

interface GuardOptions {
  readonly verifier: Verifier
  user?(identity: Identity): unknown
}

interface Keystile extends GuardOptions {
  close(): Promise<void>
}

type Users = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

/** What the recipe created. */
export const made: {
  issuer?: TestIssuer
  keystile?: Keystile
  hasUser: boolean
  hasDirectory: boolean
} = { hasUser: false, hasDirectory: false }

let mode: Mode = 'work'
let failures = 0
const waiting: (() => void)[] = []
let whenAsked: (() => void) | undefined

export function setMode(next: Mode): void {
  mode = next
  for (const goOn of waiting.splice(0)) goOn()
}

/** Returns how many callbacks have failed since the last call. */
export function takeFailures(): number {
  const taken = failures
  failures = 0
  return taken
}

/** Resolves when `user` has been called and is waiting. */
export async function userIsAsked(): Promise<void> {
  if (waiting.length === 0) await new Promise<void>((resolve) => (whenAsked = resolve))
}

function fail(): never {
  failures++
  throw new Error('planted')
}

/** Returns an object that throws when a handler reads one of its members. */
const failing = (value: object): object =>
  new Proxy(value, { get: (_, name) => (name === 'then' ? undefined : fail()) })

/** Replaces an adapter's `createGuard`. */
export const plantGuard =
  (createGuard: (options: GuardOptions) => unknown) =>
  (options: GuardOptions): unknown =>
    createGuard(plantOptions(options))

/** Replaces `KeystileModule`. */
export const plantModule = (module: {
  forRoot(options: GuardOptions): unknown
}): { forRoot(options: GuardOptions): unknown } => ({
  forRoot: (options) => module.forRoot(plantOptions(options)),
})

function plantOptions(options: GuardOptions): GuardOptions {
  const { user, verifier } = options
  if (user) made.hasUser = true
  return {
    ...options,
    verifier: user ? verifier : withFailingIdentity(verifier),
    ...(user && { user: plantUser(user) }),
  }
}

const plantUser = (user: NonNullable<GuardOptions['user']>) => async (identity: Identity) => {
  if (mode === 'user throws') fail()
  if (mode === 'user rejects') {
    failures++
    await Promise.reject() // without a reason
  }
  if (mode === 'user waits')
    await new Promise<void>((resolve) => {
      waiting.push(resolve)
      whenAsked?.()
    })
  const found = await user(identity)
  return mode === 'handler throws' && found ? failing(found) : found
}

/** Makes handlers without a user throw when they read the subject. */
function withFailingIdentity(verifier: Verifier): Verifier {
  const plant = <I extends Identity | undefined>(identity: I): I =>
    identity && mode === 'handler throws'
      ? Object.create(identity, { subject: { get: fail } })
      : identity
  return Object.create(verifier, {
    recall: { value: (token: string) => plant(verifier.recall?.(token)) },
    verify: {
      value: async (...args: Parameters<Verifier['verify']>) =>
        plant(await verifier.verify(...args)),
    },
  })
}

/** Replaces `createKeystile`. */
export const plantKeystile =
  (createKeystile: (options: object) => Promise<Keystile>) =>
  async (options: { readonly users?: Users }): Promise<Keystile> => {
    const { users } = options
    if (users) made.hasDirectory = true
    const keystile = await createKeystile({
      ...options,
      dangerouslyAllowLostCommits: true, // the PostgreSQL of the tests runs without fsync
      ...(users && { users: plantUsers(users) }),
    })
    // Some programs close Keystile at their end, but the test still uses it.
    made.keystile = { ...keystile, close: async () => {} }
    return made.keystile
  }

const plantUsers = (users: Users): Users =>
  Object.fromEntries(
    Object.entries(users).map(([name, callback]) => [
      name,
      (...args) => (mode === 'directory throws' ? fail() : callback(...args)),
    ]),
  )

/** Replaces `createTestIssuer`. */
export const plantIssuer: typeof createTestIssuer = (options) =>
  (made.issuer = createTestIssuer(options))
