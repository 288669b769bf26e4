// The module of the thread that writes to SQLite. It must not import HTTP, settings or the command
// line, so that the thread starts quickly and stays small.
import { serveCommands } from '../storage/sqlite-writer.ts'
import { commands } from './commands.ts'

await serveCommands(commands)
