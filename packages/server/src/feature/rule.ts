import type { Situation } from './situation.ts'
import type { Wording } from './wording.ts'

/**
 * One safety rule. A start, `keystile config check` and `keystile doctor` share the list of them.
 *
 * @typeParam Options the options that it looks at
 */
export interface Rule<Options> {
  readonly id: string
  /** The section of a standard that demands it. */
  readonly standard: string
  /** Whether a violation stops the start, or is only logged. */
  readonly severity: 'stop' | 'warn'
  /** What it demands, as the documents say it. */
  readonly demand: string
  /** Returns what is wrong, without any secret; `undefined` where it could not look. */
  readonly find: (situation: Situation<Options>, say: Wording) => readonly Fault[] | undefined
}

export interface Fault {
  /** The setting as it was given, the file or the thing that the message is a sentence about. */
  readonly about: string
  readonly message: string
  /** How to fix it, in one line: a command or a setting. */
  readonly fix: string
}
