import type { Call } from './cli-command.ts'

/** How `printList` shows rows. */
export interface Listing<Row> {
  readonly columns: readonly Column<Row>[]
  /** Returns the JSON object of a row, for the flag `--json`. */
  readonly wire: (row: Row) => object
  /** What the command says on a terminal if there are no rows. */
  readonly none: string
  /** Ends the list early. The list also ends when its output is not read any more. */
  readonly ended?: AbortSignal
}

export interface Column<Row> {
  readonly title: string
  /** The width on a terminal. A longer value moves the rest of its line to the right. */
  readonly width: number
  /** Returns the value of a row. `null` is printed as `-`. */
  readonly show: (row: Row) => string | null
}

/**
 * Prints a row on each line: values with a tab between them, or with the flag `--json` an object.
 * On a terminal, the values are in columns below their titles. Programs that read the lines get no
 * titles.
 */
export async function printList<Row>(
  { flags, terminal }: Pick<Call<unknown>, 'flags' | 'terminal'>,
  rows: Iterable<Row> | AsyncIterable<Row>,
  { columns, wire, none, ended = terminal.unread }: Listing<Row>,
): Promise<void> {
  const isTable = terminal.isInteractive && !flags.has('json')
  const align = (values: readonly string[]): string =>
    values
      .map((value, i) => value.padEnd(columns[i]?.width ?? 0))
      .join('  ')
      .trimEnd()

  let isEmpty = true
  for await (const row of rows) {
    if (ended.aborted) return
    if (isEmpty && isTable) terminal.print(terminal.bold(align(columns.map(({ title }) => title))))
    isEmpty = false

    const values = columns.map(({ show }) => show(row) ?? '-')
    if (flags.has('json')) terminal.printJson(wire(row))
    else terminal.printRow(isTable ? [align(values)] : values)
  }
  if (isEmpty && isTable && !ended.aborted) terminal.printError(none)
}
