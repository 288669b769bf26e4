// Runs in the thread that writes to SQLite.
import { serveCommands } from '../storage/sqlite-writer.ts'
import { commands } from './commands.ts'

await serveCommands(commands)
