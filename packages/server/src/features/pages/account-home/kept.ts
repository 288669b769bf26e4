// What a browser keeps of a change that takes several pages, so that a reload, another tab or the
// way back shows the same page again. It is in encrypted cookies, and only this browser has it: an
// earlier copy of the cookie with the login does not show the secret of an app to a thief.
import type { HttpRequestWithBody } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { proofKinds } from '../../mail/proofs/kinds.ts'
import type { KeptName, PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import { setUpLoginSeconds } from '../../users/accounts/login-age.ts'
import type { SignedIn } from '../login-pages/signed-in.ts'

export interface Kept {
  /** Returns what the browser keeps; undefined if it is of another login. */
  read(name: KeptName): string | undefined
  /** Returns a value of `Set-Cookie` with which the browser keeps a text. */
  keep(name: KeptName, text: string): string
  /** Returns a value of `Set-Cookie` with which the browser keeps nothing. */
  drop(name: KeptName): string
}

export interface KeepingParts {
  readonly cookies: Pick<PageCookies, 'kept'>
  readonly seal: Seal
}

/** As long as the change can be confirmed, or until a person has read the page of the link. */
const keptSeconds: Readonly<Record<KeptName, number>> = {
  app: setUpLoginSeconds,
  address: proofKinds.emailChange.lifetimeHours * 60 * 60,
  link: 10 * 60,
}

export function keptBy<U>(
  request: HttpRequestWithBody,
  { session }: Pick<SignedIn<U>, 'session'>,
  { cookies: { kept }, seal }: KeepingParts,
): Kept {
  const contextOf = (name: KeptName): string => `${name} ${session.id}`
  return {
    read(name) {
      const sealed = kept[name].read(request)
      return sealed === undefined ? undefined : seal.open(sealed, contextOf(name))
    },
    keep: (name, text) => kept[name].set(seal.seal(text, contextOf(name)), keptSeconds[name]),
    drop: (name) => kept[name].cleared,
  }
}
