import { announce, type Transaction } from '../../storage/database.ts'
import type { AppEvent } from './app-event.ts'

/**
 * Announces an event to the app, which gets it after the commit. An event of a transaction that
 * fails is dropped.
 */
export function announceEvent(transaction: Transaction, event: AppEvent): void {
  announce(transaction, event)
}
