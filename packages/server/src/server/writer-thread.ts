// The module of the thread that writes to SQLite. It must not import code for HTTP, settings or the
// command line, so that the thread starts quickly and uses little memory.
import { serveCommands } from '../storage/sqlite-writer.ts'
import { commands } from './commands.ts'

await serveCommands(commands)
