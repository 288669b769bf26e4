import type { LoginAttempt, Proof } from './attempt.ts'
import { methods } from './methods.ts'
import type { Method, MethodParts } from './methods/method.ts'

export type Decision =
  | {
      readonly outcome: 'granted'
      readonly subject: string
      /** The claim `amr` (RFC 8176 §2). */
      readonly amr: readonly string[]
      /** When the last proof was given, in milliseconds. */
      readonly authenticatedAt: number
    }
  /** One of these methods must be proved next. */
  | { readonly outcome: 'next'; readonly methods: readonly Method[] }

/**
 * Decides whether a person has proved enough: a first step, and a second one if the account needs
 * it. Every login is decided here, whatever the way in.
 */
export async function enough<U>(
  { subject, proofs }: LoginAttempt,
  parts: MethodParts<U>,
): Promise<Decision> {
  const proved = methods.filter(({ name }) => proofs.some(({ method }) => method === name))
  if (subject === undefined || !proved.some(isFirst))
    return { outcome: 'next', methods: methods.filter(isFirst) }

  const hasTwo = !proved.every(isFirst)
  if (!hasTwo && (await needsSecondStep(subject, parts)))
    return { outcome: 'next', methods: await listSetUp(subject, parts) }

  return {
    outcome: 'granted',
    subject,
    amr: [...new Set([...proved.flatMap(({ amr }) => amr), ...(hasTwo ? ['mfa'] : [])])],
    authenticatedAt: Math.max(...proofs.map(({ at }) => at)),
  }
}

const isFirst = ({ secondStep }: Method): boolean => secondStep === undefined

/** Whether each login of this user must prove a second step. */
export async function needsSecondStep<U>(
  subject: string,
  parts: Pick<MethodParts<U>, 'secondFactors' | 'directory'>,
): Promise<boolean> {
  for (const { secondStep } of methods)
    if (secondStep?.isDemanded && (await secondStep.isSetUp(subject, parts))) return true
  return false
}

/** Whether the account still has what was proved earlier. */
export function areCurrent<U>(proofs: readonly Proof[], user: U, parts: MethodParts<U>): boolean {
  return proofs.every(({ method: name, mark }) => {
    const method = methods.find((one) => one.name === name)
    return method?.isCurrent?.(user, mark, parts) ?? true
  })
}

/** Returns the second steps that this user has set up. */
async function listSetUp<U>(subject: string, parts: MethodParts<U>): Promise<readonly Method[]> {
  const setUp: Method[] = []
  for (const method of methods)
    if (await method.secondStep?.isSetUp(subject, parts)) setUp.push(method)
  return setUp
}
