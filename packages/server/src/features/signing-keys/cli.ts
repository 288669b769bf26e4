// The command `keystile key list`. It reads no private key, so it works without the sealing secret.

import type { Call } from '../../feature/cli-command.ts'
import type { Database } from '../../storage/database.ts'
import { listSigningKeys } from './signing-keys.ts'

/** Prints the signing keys in the database, one key per line. */
export async function list({ flags, terminal, withDatabase }: Call<unknown>): Promise<void> {
  const work = async (database: Database): Promise<void> => {
    for (const { keyId, algorithm, createdAt } of await listSigningKeys(database)) {
      const row = { key_id: keyId, algorithm, created_at: createdAt.toISOString() }
      if (flags.has('json')) terminal.printJson(row)
      else terminal.printRow(Object.values(row))
    }
  }
  await withDatabase(work, { mayCreate: true })
}
