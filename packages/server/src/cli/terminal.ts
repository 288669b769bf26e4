import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { onUnread } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Terminal } from '../feature/terminal.ts'
import { escapeLines, escapeUnseen } from './unseen.ts'

export interface ProcessTerminal extends Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What an operator types to run another command of this installation. */
  readonly program: string
}

/**
 * The parts of `process` that a terminal uses. A test can pass an object in place of `process`, and
 * run a command without starting a process.
 */
export interface TerminalProcess {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The command line of the process: first the path of Node, then the path of the main program. */
  readonly argv?: readonly string[]
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable
  exitCode?: number | string | null | undefined
  once(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
}

/**
 * Creates the terminal of a process. Only this file uses the environment, streams and signals of
 * the process.
 */
export function createTerminal(process: TerminalProcess): ProcessTerminal {
  const unread = new AbortController()
  onUnread(process.stdout, () => unread.abort())
  onUnread(process.stderr, () => {})
  const isInteractive = process.stdout.isTTY === true

  return {
    environment: process.env,
    program: programOf(process.argv?.[1] ?? ''),
    print: (text) => void process.stdout.write(`${escapeLines(text)}\n`),
    printRow: (values) => void process.stdout.write(`${values.map(escapeUnseen).join('\t')}\n`),
    printJson: (value) => void process.stdout.write(`${escapeUnseen(JSON.stringify(value))}\n`),
    printError: (text) => void process.stderr.write(`${escapeLines(text)}\n`),
    fail: () => void (process.exitCode = 1),
    isInteractive,
    bold: (text) =>
      isInteractive && !process.env['NO_COLOR'] ? `\u001b[1m${text}\u001b[22m` : text,
    ask: async (question) =>
      process.stdin.isTTY ? readLine(question, process, { isHidden: false }) : undefined,
    askSecret: (question) => askSecret(question, process),
    untilStopped: () =>
      new Promise((resolve) => {
        for (const signal of ['SIGTERM', 'SIGINT'] as const)
          process.once(signal, () => resolve(signal))
      }),
    unread: unread.signal,
  }
}

/**
 * Returns the text, such as `npx keystile`, that an operator types before the words of a command.
 * In most installations, `keystile` alone is not in the PATH.
 */
export function programOf(path: string): string {
  const parts = path.split(/[\\/]/)
  if (path.endsWith('.ts')) return 'npm run keystile --' // a clone of the repository
  if (path.endsWith('.cjs')) return `node ${path}` // the image and the systemd unit
  const isInPath = parts.at(-1) === 'keystile' && !parts.includes('node_modules')
  return isInPath ? 'keystile' : 'npx keystile'
}

async function askSecret(question: string, process: TerminalProcess): Promise<string> {
  if (!process.stdin.isTTY)
    throw new ConfigurationError(
      'standard input must be a terminal, so that you can type a password. ' +
        'Fix: give --password-file',
    )

  try {
    return await readLine(question, process, { isHidden: true })
  } finally {
    process.stderr.write('\n')
  }
}

/**
 * Writes a question to standard error, so that standard output contains only results, and reads one
 * line.
 */
async function readLine(
  question: string,
  { stdin: input, stderr }: TerminalProcess,
  { isHidden }: { readonly isHidden: boolean },
): Promise<string> {
  stderr.write(question)
  // With `terminal`, readline takes the echo over from the terminal, and shows nothing, because it
  // gets no output.
  const lines = createInterface({ input, terminal: isHidden })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () =>
        reject(new ConfigurationError('an answer must be typed; the input ended before Enter')),
      )
    })
  } finally {
    lines.close()
  }
}
