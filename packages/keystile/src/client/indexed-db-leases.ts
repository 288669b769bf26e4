import type { Browser, Database } from './browser.ts'
import type { Lease, Leases } from './lease.ts'

const store = 'leases'

/**
 * Opens the IndexedDB database of this origin that stores leases. All browsers run the transactions
 * of a database one after the other, even across tabs. With localStorage, two tabs could take the
 * same lease at the same time.
 *
 * @throws {unknown} if the browser refuses the database, for example in a private window
 */
export function openLeases(
  indexedDB: NonNullable<Browser['indexedDB']>,
): Promise<Leases & { close(): void }> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('keystile')
    opening.addEventListener('upgradeneeded', () => void opening.result.createObjectStore(store))
    opening.addEventListener('error', () => reject(opening.error))
    opening.addEventListener('success', () => {
      const database = opening.result
      resolve({
        update: (name, change) => updateIn(database, name, change),
        close: () => database.close(),
      })
    })
  })
}

/**
 * Replaces a lease with the result of `change`, in one transaction. Resolves when the transaction
 * is complete.
 */
function updateIn(
  database: Database,
  name: string,
  change: (lease: Lease | undefined) => Lease,
): Promise<Lease> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, 'readwrite')
    const leases = transaction.objectStore(store)
    const reading = leases.get(name)
    reading.addEventListener('success', () => {
      const lease = change(reading.result as Lease | undefined)
      leases.put(lease, name)
      transaction.addEventListener('complete', () => resolve(lease))
    })
    transaction.addEventListener('abort', () => reject(transaction.error))
  })
}
