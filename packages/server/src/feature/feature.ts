import type { Setting } from './setting.ts'

/** What is known of a feature before anything is opened, as plain values. */
export interface Feature {
  readonly name: string
  readonly settings?: readonly Setting[]
}
