import { runCommandLine } from './command-line.ts'
import { createTerminal } from './terminal.ts'

// The program `keystile`.

await runCommandLine(process.argv.slice(2), createTerminal(process))
