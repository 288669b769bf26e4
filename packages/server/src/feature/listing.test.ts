import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { prepareCall } from '../../test-support/call.ts'
import type { CliCommand } from './cli-command.ts'
import { printList, type Listing } from './listing.ts'

interface Row {
  readonly name: string
  readonly note: string | null
}

const listing: Listing<Row> = {
  columns: [
    { title: 'NAME', width: 6, show: ({ name }) => name },
    { title: 'NOTE', width: 0, show: ({ note }) => note },
  ],
  wire: ({ name }) => ({ name }),
  none: 'there are no rows',
}

const command: CliCommand<never> = {
  words: ['list'],
  flags: { json: {} },
  takesSettings: false,
  summary: 'list rows',
  load: () => Promise.reject(new Error('the test does not run it')),
}

/** Prints rows, and returns the standard output and the standard error. */
async function print(
  rows: Iterable<Row>,
  options: { readonly isInteractive: boolean; readonly args?: readonly string[] },
  more: Partial<Listing<Row>> = {},
): Promise<readonly [stdout: string, stderr: string]> {
  const { call, printed } = prepareCall(command, options.args ?? [])
  const terminal = { ...call.terminal, isInteractive: options.isInteractive }
  await printList({ ...call, terminal }, rows, { ...listing, ...more })
  return [printed.stdout, printed.stderr]
}

describe('printList', () => {
  const rows = [
    { name: 'a\n', note: 'first' },
    { name: 'a long name', note: null },
  ]

  it('on a terminal, a list has titles above its columns', async () => {
    const table = 'NAME    NOTE\na\\u000a      first\na long name  -\n'
    assert.deepEqual(await print(rows, { isInteractive: true }), [table, ''])
  })

  it('a program that reads a list gets values with a tab between them, and no titles', async () => {
    const lines = 'a\\u000a\tfirst\na long name\t-\n'
    assert.deepEqual(await print(rows, { isInteractive: false }), [lines, ''])
  })

  it('with --json, a list is one object in each line, also on a terminal', async () => {
    const objects = '{"name":"a\\n"}\n{"name":"a long name"}\n'
    for (const isInteractive of [true, false])
      assert.deepEqual(await print(rows, { isInteractive, args: ['--json'] }), [objects, ''])
  })

  it('only on a terminal, an empty list says that there is nothing', async () => {
    assert.deepEqual(await print([], { isInteractive: true }), ['', 'there are no rows\n'])
    assert.deepEqual(await print([], { isInteractive: false }), ['', ''])
    assert.deepEqual(await print([], { isInteractive: true, args: ['--json'] }), ['', ''])
  })

  it('a list ends early, and reads no further rows, when its signal is aborted', async () => {
    const controller = new AbortController()
    function* endless(): Iterable<Row> {
      for (let i = 1; ; i++) {
        if (i === 3) controller.abort()
        yield { name: String(i), note: null }
      }
    }
    const { signal: ended } = controller
    const [stdout] = await print(endless(), { isInteractive: false }, { ended })
    assert.equal(stdout, '1\t-\n2\t-\n')
    const nothing = await print([], { isInteractive: true }, { ended })
    assert.deepEqual(nothing, ['', ''])
  })
})
