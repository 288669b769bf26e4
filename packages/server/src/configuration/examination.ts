import type { Fault, Rule } from '../feature/rule.ts'
import type { Situation } from '../feature/situation.ts'
import { appWording } from '../feature/wording.ts'
import type { OptionValues } from './keystile-options.ts'

/** The options that rules look at; of `users`, only whether they are given. */
export type RuleOptions = {
  readonly [N in keyof OptionValues]?: (N extends 'users' ? unknown : OptionValues[N]) | undefined
}

/** A fault, and the rule that finds it. */
export interface Finding extends Fault {
  readonly rule: Rule<RuleOptions>
}

/** What is wrong, and which rules could look. */
export interface Examination {
  readonly stops: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly checked: readonly Rule<RuleOptions>[]
}

/** Applies safety rules to what was configured and found. */
export function examine(situation: Situation<RuleOptions>, rules: readonly Rule<RuleOptions>[]): Examination {
  const say = situation.say ?? appWording
  const asked = rules.map((rule) => ({ rule, faults: rule.find(situation, say) }))
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
