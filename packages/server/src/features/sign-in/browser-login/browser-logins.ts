// The login of a browser at the pages. It is a session without tokens: a cookie names it, and each
// page that the browser opens reads it again. So whatever ends sessions ends it at once.
import type { Clock } from 'keystile/internal'
import { hashSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import { extendActiveSession, type ActiveSession } from '../../tokens/sessions/active-session.ts'
import type { Lifetimes } from '../../tokens/sessions/lifetimes.ts'
import { findBrowserLogin } from './store.ts'

export interface BrowserSession extends ActiveSession {
  readonly id: string
}

export interface BrowserLogins {
  /** Finds the session of a secret, if it has not ended or expired, and extends it. */
  find(secret: string): Promise<BrowserSession | undefined>
}

export function createBrowserLogins(
  database: Pick<Database, 'reader' | 'write'>,
  { lifetimes, clock }: { readonly lifetimes: Lifetimes; readonly clock: Clock },
): BrowserLogins {
  return {
    async find(secret) {
      const login = await findBrowserLogin(database.reader, hashSecret(secret))
      if (!login) return undefined
      const id = login.session_id
      const session = await extendActiveSession(database, { id, now: clock.now(), lifetimes })
      return session && { ...session, id }
    },
  }
}
