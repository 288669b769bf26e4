import type { Database } from '../../storage/database.ts'
import {
  createSessionStarter,
  type SessionStarter,
  type StarterParts,
} from '../sessions/sessions.ts'
import { startLogin } from './store.ts'

/** Returns what starts sessions, in a transaction that checks the account once more. */
export function createLoginStarter(database: Database, parts: StarterParts): SessionStarter {
  return createSessionStarter(database, { ...parts, startLogin })
}
