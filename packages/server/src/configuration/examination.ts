import type { Fault, Rule } from '../feature/rule.ts'
import type { Situation } from '../feature/situation.ts'
import { appWording } from '../feature/wording.ts'

/** A fault, and the rule that finds it. */
export interface Finding<Options = never> extends Fault {
  readonly rule: Rule<Options>
}

/** What is wrong, and which rules could look. */
export interface Examination<Options = never> {
  readonly stops: readonly Finding<Options>[]
  readonly warnings: readonly Finding<Options>[]
  readonly checked: readonly Rule<Options>[]
}

/** Applies safety rules to what was configured and found. */
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

/** A finding without its first word or words, what it is about. */
export function textOf({ rule, message, mend }: Finding): string {
  return `${message} (${rule.id}, ${rule.standard})\n    fix: ${mend}`
}
