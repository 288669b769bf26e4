import { appWording } from '../../feature/wording.ts'
import { machineRules } from './machine-rules.ts'
import { optionRules } from './option-rules.ts'
import type { Fault, Rule, Situation } from './rule.ts'

/** All rules of safety. */
export const rules: readonly Rule[] = [...optionRules, ...machineRules]

/** A fault, and the rule that finds it. */
export interface Finding extends Fault {
  readonly rule: Rule
}

/** What is wrong, and which rules could tell. */
export interface Examination {
  readonly stops: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly checked: readonly Rule[]
}

export function examine(situation: Situation, list: readonly Rule[] = rules): Examination {
  const say = situation.say ?? appWording
  const asked = list.map((rule) => ({ rule, faults: rule.find(situation, say) }))
  const findings = asked.flatMap(({ rule, faults = [] }) => faults.map((fault) => ({ rule, ...fault })))
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
