// Node loads this file before a program (--import), in each of its threads. It writes every
// statement that the program sends to SQLite or PostgreSQL into the file RECORDED, a line of JSON
// for each.
import { appendFileSync } from 'node:fs'
import { StatementSync } from 'node:sqlite'
import pg from 'pg'

export interface RecordedStatement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Queries of the flows themselves contain this mark, and are not recorded. */
export const notRecorded = '/* not recorded */'

const file = process.env['RECORDED']

function record(text: string, values: readonly unknown[]): void {
  if (file === undefined || text.includes(notRecorded)) return
  appendFileSync(file, `${JSON.stringify({ text, values } satisfies RecordedStatement)}\n`)
}

/** Records the name of a flow, so that the statements after it can be counted. */
export function recordFlow(name: string): void {
  record(`-- ${name}`, [])
}

for (const method of ['all', 'get', 'run'] as const) {
  const original = Reflect.get(StatementSync.prototype, method) as (...values: unknown[]) => unknown
  Reflect.set(
    StatementSync.prototype,
    method,
    function (this: StatementSync, ...values: unknown[]): unknown {
      record(this.sourceSQL, values)
      return original.apply(this, values)
    },
  )
}

const query = Reflect.get(pg.Client.prototype, 'query') as (...values: unknown[]) => unknown
Reflect.set(
  pg.Client.prototype,
  'query',
  function (this: pg.Client, ...values: unknown[]): unknown {
    const [config, given] = values
    if (typeof config === 'string') record(config, Array.isArray(given) ? given : [])
    else {
      const { text, values: bound = [] } = config as Partial<RecordedStatement>
      if (text !== undefined) record(text, bound)
    }
    return query.apply(this, values)
  },
)
