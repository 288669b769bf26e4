import type { Situation } from './situation.ts'
import type { Wording } from './wording.ts'

/**
 * A safety rule. The same list of rules applies when the server starts, in `keystile config check`,
 * and in `keystile doctor`.
 *
 * @typeParam Options the options that the rule reads
 */
export interface Rule<Options> {
  readonly id: string
  /** The section of a standard that demands the rule, such as `ASVS 5.0 12.3.2`. */
  readonly standard: string
  /** Whether a violation stops the start or is only logged as a warning. */
  readonly severity: 'stop' | 'warn'
  /** What the rule demands, in the words of docs/reference/doctor.md. */
  readonly demand: string
  /**
   * Returns the violations. Their texts contain no secret. Returns `undefined` if the rule cannot
   * be checked, for example because there is no database yet.
   */
  readonly find: (situation: Situation<Options>, say: Wording) => readonly Fault[] | undefined
}

/** A violation of a rule. `about` and `message` form one sentence. */
export interface Fault {
  /**
   * What violates the rule, such as a file or the name of a setting. It is the subject of a
   * sentence, and `message` is the rest.
   */
  readonly about: string
  /**
   * The rest of the sentence after `about`: the requirement and, if it is not secret, the value.
   * For example: "must be an https URL; it is …".
   */
  readonly message: string
  readonly fix: string
}
