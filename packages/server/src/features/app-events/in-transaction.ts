import { announce, type Transaction } from '../../storage/database.ts'
import type { AppEvent } from './app-event.ts'

/**
 * Announces an event to the app, which gets it after the commit. If the transaction fails, the
 * event is dropped.
 */
export function announceEvent(transaction: Transaction, event: AppEvent): void {
  announce(transaction, event)
}
