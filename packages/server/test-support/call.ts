// Prepares the call of a command. A test adds the other parts, such as settings and a database.
import { EventEmitter } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { parseCall } from '../src/cli/parse-call.ts'
import { createTerminal } from '../src/cli/terminal.ts'
import type { CliCommand, Call } from '../src/feature/cli-command.ts'

/** A call, and what its command has printed until now. */
export interface TestCall {
  readonly call: Pick<Call<never>, 'operand' | 'flags' | 'terminal'>
  readonly printed: { stdout: string; stderr: string }
}

/**
 * Parses the arguments of a command as the program does. The terminal is real, but prints to
 * strings.
 *
 * @param answer returns what the operator types after a question
 */
export function prepareCall(
  command: CliCommand<never>,
  args: readonly string[],
  answer?: (question: string) => string,
): TestCall {
  const printed = { stdout: '', stderr: '' }
  const stdin = Object.assign(new PassThrough(), { isTTY: answer !== undefined })
  const record = (stream: 'stdout' | 'stderr'): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        const text = chunk.toString()
        printed[stream] += text
        if (text.endsWith(': ')) stdin.write(`${answer?.(text)}\n`)
        done()
      },
    })
  const [stdout, stderr] = [record('stdout'), record('stderr')]
  const terminal = createTerminal(
    Object.assign(new EventEmitter(), { env: {}, stdin, stdout, stderr }),
  )
  const { operand, flags } = parseCall(command, args)
  return { call: { operand, flags, terminal }, printed }
}
