#!/usr/bin/env node
// The program `keystile`. It runs `token check`; @keystile/server has the commands for a server.
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { findServerCommand } from './server-command.ts'
import { checkToken, tokenCheckUsage } from './token-check.ts'
import { onUnread } from './unread.ts'

for (const stream of [process.stdout, process.stderr]) onUnread(stream, () => {})

const args = process.argv.slice(2)
const [first, second] = args
const asksHelp =
  first === undefined || first === 'help' || args.some((arg) => /^(-h|--help)$/.test(arg))

await run()

async function run(): Promise<void> {
  if (first === 'token' || (first === 'help' && second === 'token')) return runTokenCommand()

  const server = findServerCommand(process.argv[1])
  if (!server) return runWithoutServer()

  // The list of all commands begins with `token check`. @keystile/server prints the others, and the
  // help of a single command.
  if (asksHelp && !namesCommand()) console.log(`${tokenCheckUsage}\n`)
  await import(server.href)
}

/** Whether they name a command, as `keystile help serve` and `keystile serve --help` do. */
function namesCommand(): boolean {
  return first === 'help' ? second !== undefined : first !== undefined && !first.startsWith('-')
}

function runWithoutServer(): void {
  if (asksHelp) {
    console.log(`${tokenCheckUsage}\n`)
    console.log('Install @keystile/server for the commands that need a server.')
    return
  }
  if (first === 'version' || first === '--version') return console.log(readVersion())

  console.error(
    `keystile: "keystile ${first}" needs the package @keystile/server, which is not installed ` +
      'here. Fix: npm install @keystile/server',
  )
  process.exitCode = 1
}

async function runTokenCommand(): Promise<void> {
  if (asksHelp) return console.log(tokenCheckUsage)
  if (second !== 'check') {
    console.error('keystile: `token` must be followed by `check`. Fix: keystile token check')
    process.exitCode = 2
    return
  }

  if (process.stdin.isTTY) console.error('Paste the token, then press Enter and Ctrl-D.')
  const printed = await checkToken(args.slice(2), await text(process.stdin), process.env)
  process.stdout.write(printed.stdout)
  process.stderr.write(printed.stderr)
  process.exitCode = printed.code
}

function readVersion(): string {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { readonly version: string }
  return version
}
