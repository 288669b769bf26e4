// The program `keystile`.
import { runCommandLine } from './command-line.ts'
import { createTerminal } from './terminal.ts'

await runCommandLine(process.argv.slice(2), createTerminal(process))
