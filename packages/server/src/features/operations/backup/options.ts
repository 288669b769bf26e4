import type { SigningKeyChoice } from '../../tokens/signing-keys/signing-key-source.ts'

/** The settings that the commands read. */
export interface Options extends SigningKeyChoice {
  readonly issuer: string
}
