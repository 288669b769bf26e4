// What a process learns of its own commits without a read (`announce` in storage/notices.ts).

import type { RevocationEvent } from 'keystile/internal'

/** The notice that this process gets after it has committed revocations. */
export interface RevocationNotice {
  readonly revoked: readonly RevocationEvent[]
}

/** The notice that this process gets after it has committed a change of a user. */
export interface UserNotice {
  readonly changedUser: string
}

/** Returns the revocations in a notice; none if the notice is about something else. */
export function revocationsOf(notice: unknown): readonly RevocationEvent[] {
  return (notice as Partial<RevocationNotice>).revoked ?? []
}

/** Returns the subject of the changed user; undefined if the notice is about something else. */
export function changedUserOf(notice: unknown): string | undefined {
  return (notice as Partial<UserNotice>).changedUser
}
