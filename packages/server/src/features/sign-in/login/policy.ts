import type { LoginAttempt } from './attempt.ts'
import { methods } from './methods.ts'
import type { MethodParts } from './methods/method.ts'

export type Decision =
  | {
      readonly outcome: 'granted'
      readonly subject: string
      /** The claim `amr` (RFC 8176 §2). */
      readonly amr: readonly string[]
      /** When the last proof was given, in milliseconds. */
      readonly authenticatedAt: number
    }
  /** The names of the methods of which one must be proved next. */
  | { readonly outcome: 'next'; readonly methods: readonly string[] }

/**
 * Decides whether a person has proved enough: one first step, and each second step that the account
 * needs. Every login is decided here, whatever the way in.
 */
export async function enough<U>(
  { subject, proofs }: LoginAttempt,
  parts: MethodParts<U>,
): Promise<Decision> {
  const isProved = (name: string): boolean => proofs.some(({ method }) => method === name)
  const [first] = proofs
  if (subject === undefined || !first)
    return { outcome: 'next', methods: namesOf(methods.filter(({ isNeeded }) => !isNeeded)) }

  const missing = []
  for (const method of methods)
    if (!isProved(method.name) && (await method.isNeeded?.(subject, parts))) missing.push(method)
  if (missing.length > 0) return { outcome: 'next', methods: namesOf(missing) }

  const proved = methods.filter(({ name }) => isProved(name))
  return {
    outcome: 'granted',
    subject,
    amr: [...new Set(proved.flatMap(({ amr }) => amr))],
    authenticatedAt: Math.max(...proofs.map(({ at }) => at)),
  }
}

function namesOf(some: readonly { readonly name: string }[]): readonly string[] {
  return some.map(({ name }) => name)
}
