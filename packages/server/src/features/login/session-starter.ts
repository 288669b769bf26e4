import type { Database } from '../../storage/database.ts'
import {
  createSessionStarter,
  type SessionStarter,
  type StarterParts,
} from '../sessions/sessions.ts'
import { startLogin } from './store.ts'

/**
 * Creates a `SessionStarter`. Its transaction checks the account once more before it starts a
 * session.
 */
export function createLoginStarter(database: Database, parts: StarterParts): SessionStarter {
  return createSessionStarter(database, { ...parts, startLogin })
}
