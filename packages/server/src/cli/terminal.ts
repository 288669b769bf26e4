import { ConfigurationError } from '../base/configuration-error.ts'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Terminal } from '../feature/terminal.ts'
import { escapeLines, escapeUnseen } from './unseen.ts'

/**
 * The process as commands see it: the only place that knows its environment, its streams and its
 * signals.
 */
export interface ProcessTerminal extends Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>
}

export function createTerminal(): ProcessTerminal {
  return {
    environment: process.env,
    print: (text) => void process.stdout.write(`${escapeLines(text)}\n`),
    printRow: (values) => void process.stdout.write(`${values.map(escapeUnseen).join('\t')}\n`),
    printJson: (value) => void process.stdout.write(`${escapeUnseen(JSON.stringify(value))}\n`),
    printError: (text) => void process.stderr.write(`${escapeLines(text)}\n`),
    fail: () => void (process.exitCode = 1),
    bold: (text) =>
      process.stdout.isTTY && !process.env['NO_COLOR'] ? `\u001b[1m${text}\u001b[22m` : text,
    askSecret,
    untilStopped: () =>
      new Promise((resolve) => {
        for (const signal of ['SIGTERM', 'SIGINT'] as const)
          process.once(signal, () => resolve(signal))
      }),
    untilUnread: () =>
      new Promise((resolve) => {
        process.stdout.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EPIPE') throw error
          resolve()
        })
      }),
  }
}

async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new ConfigurationError(
      'there is no terminal to ask for a password on: give --password-file',
    )
  process.stderr.write(question)
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => reject(new ConfigurationError('no password was typed')))
    })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
