// What tests of the rotation need to know of signing keys.
import type { SigningKey } from 'keystile/jwt'
import { openMailSeal } from '../src/features/mail/outbox/mail-seal.ts'
import {
  defaultRotation,
  type RotationSettings,
} from '../src/features/tokens/signing-keys/rotation.ts'
import { createKeySeal, openSealedKey } from '../src/features/tokens/signing-keys/sealed-keys.ts'
import type { SigningKeyRow } from '../src/features/tokens/signing-keys/tables.ts'
import { key } from './keystile.ts'

/** A row of the table, as a query of a test returns it: PostgreSQL returns times as strings. */
export type QueriedKey = Pick<SigningKeyRow, 'id' | 'sealed_jwk'> &
  Readonly<Record<'published_at' | 'signs_from' | 'signs_until', string | number>>

/** The times of production, but with another period and another pause between two looks. */
export function rotateEvery(period: number, interval: number): RotationSettings {
  return { times: { ...defaultRotation.times, period }, interval }
}

/** Decrypts a key that a server of a test has stored. */
export function openStoredKey(row: QueriedKey): SigningKey {
  return openSealedKey(row, createKeySeal([key]))
}

/** Encrypts a text as a mail or a proof, with the key of the servers in tests. */
export function sealForMail(text: string, context: string): string {
  return openMailSeal(() => [key])().seal(text, context)
}

/** Encrypts a text as the signing key with this id, with the key of the servers in tests. */
export function sealAsSigningKey(text: string, id: string): string {
  return createKeySeal([key]).seal(text, id)
}
