import { listSigningKeys } from '../features/signing-keys/signing-keys.ts'
import { withAccounts } from './accounts.ts'
import type { Call, Command } from './command.ts'

export const keyCommands: readonly Command[] = [
  {
    words: ['key', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'the signing keys in the database: id, algorithm, since when',
    run: list,
  },
]

async function list({ flags, terminal, settings }: Call): Promise<void> {
  await withAccounts((await settings()).options.database, async ({ database }) => {
    for (const { keyId, algorithm, createdAt } of await listSigningKeys(database)) {
      const row = { key_id: keyId, algorithm, created_at: createdAt.toISOString() }
      if (flags.has('json')) terminal.printJson(row)
      else terminal.printRow(Object.values(row))
    }
  })
}
