import type { Fault, Rule } from '../feature/rule.ts'
import type { Situation } from '../feature/situation.ts'
import { appWording } from '../feature/wording.ts'

export interface Finding<Options = never> extends Fault {
  readonly rule: Rule<Options>
}

export interface Examination<Options = never> {
  readonly stops: readonly Finding<Options>[]
  readonly warnings: readonly Finding<Options>[]
  /**
   * The rules that could be checked. A rule is not in this list if something that it needs is
   * missing, such as a database.
   */
  readonly checked: readonly Rule<Options>[]
}

/** Applies safety rules to a situation. Changes nothing and throws nothing. */
export function examine<Options>(
  situation: Situation<Options>,
  rules: readonly Rule<Options>[],
): Examination<Options> {
  const say = situation.say ?? appWording
  const asked = rules.map((rule) => ({ rule, faults: rule.find(situation, say) }))
  const findings = asked.flatMap(({ rule, faults = [] }) =>
    faults.map((fault) => ({ rule, ...fault })),
  )
  return {
    stops: findings.filter(({ rule }) => rule.severity === 'stop'),
    warnings: findings.filter(({ rule }) => rule.severity === 'warn'),
    checked: asked.filter(({ faults }) => faults !== undefined).map(({ rule }) => rule),
  }
}

/** Returns a finding as text, without its subject `about`. */
export function textOf({ rule, message, fix }: Finding): string {
  return `${message} (${rule.id}, ${rule.standard})\n    fix: ${fix}`
}
