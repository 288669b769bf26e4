import type { Browser, Database } from './browser.ts'
import type { Lease, Leases } from './lease.ts'

const store = 'leases'

/**
 * Leases in a database of this origin: its transactions are the one thing that all browsers let tabs do one after the
 * other. localStorage does not: two tabs can both find it free.
 *
 * @throws {unknown} where the browser has none to give
 */
export function openLeases(indexedDB: NonNullable<Browser['indexedDB']>): Promise<Leases & { close(): void }> {
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

function updateIn(database: Database, name: string, change: (lease: Lease | undefined) => Lease): Promise<Lease> {
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
