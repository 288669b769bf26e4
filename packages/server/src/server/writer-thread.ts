// Runs in the thread that writes to SQLite. It knows every command by name; nothing else is sent to it but values.
import { commands as clientCommands } from '../features/clients/store.ts'
import { commands as auditCommands } from '../features/audit/store.ts'
import { commands as eventCommands } from '../features/events/store.ts'
import { commands as deviceCommands } from '../features/known-devices/store.ts'
import { commands as limitCommands } from '../features/limits/store.ts'
import { commands as loginCommands } from '../features/login/store.ts'
import { commands as refreshCommands } from '../features/sessions/refresh-store.ts'
import { commands as sessionPurgeCommands } from '../features/sessions/purge-store.ts'
import { commands as sessionCommands } from '../features/sessions/store.ts'
import { commands as signingKeyCommands } from '../features/signing-keys/store.ts'
import { commands as userCommands } from '../features/accounts/store.ts'
import { serveCommands } from '../storage/sqlite-writer.ts'

await serveCommands([
  ...auditCommands,
  ...clientCommands,
  ...deviceCommands,
  ...eventCommands,
  ...limitCommands,
  ...loginCommands,
  ...refreshCommands,
  ...sessionCommands,
  ...sessionPurgeCommands,
  ...signingKeyCommands,
  ...userCommands,
])
