// Asks both databases how they run a statement, and says what is wrong for large tables.
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import pg from 'pg'
import type { RecordedStatement } from './record-statements.ts'

/** The tables that grow with the number of users. All others have few rows. */
export const largeTables: ReadonlySet<string> = new Set([
  'user',
  'session',
  'refresh_token',
  'audit',
  'event',
  'rate',
  'mail',
  'dropped_mail',
  'mail_proof',
  'former_email',
  'pending_registration',
  'app_event',
])

export interface Judge {
  /**
   * Returns what takes longer with more users, such as "scans: session". Rolls back what the
   * statement does.
   */
  judge(statement: RecordedStatement): Promise<readonly string[]>
  close(): Promise<void>
}

/** A judge that can also judge without one of the indexes. */
export interface SqliteJudge extends Judge {
  /** The indexes of large tables that no constraint needs. */
  readonly indexes: readonly string[]
  /** Calls `use` while an index does not exist. */
  without<T>(index: string, use: () => Promise<T>): Promise<T>
}

export function openSqliteJudge(file: string): SqliteJudge {
  const sqlite = new DatabaseSync(file)
  const indexes = sqlite
    .prepare(`select name, tbl_name as "table" from sqlite_master where sql like 'create index %'`)
    .all()
    .filter(({ table }) => largeTables.has(String(table)))
  return {
    indexes: indexes.map(({ name }) => String(name)),
    async without(index, use) {
      sqlite.exec(`begin; drop index ${index}`)
      try {
        return await use()
      } finally {
        sqlite.exec('rollback')
      }
    },
    async judge({ text, values }) {
      const plan = sqlite.prepare(`explain query plan ${text}`).all(...(values as SQLInputValue[]))
      return plan.flatMap(({ detail }) => faultsOfDetail(String(detail)))
    },
    close: async () => sqlite.close(),
  }
}

/** Indexes of few rows: those that wait for a job, and administrators. */
const partialIndexes = /INDEX (event_unnumbered|mail_proof_unresolved|\w+_due|user_administrator)\b/

/**
 * A scan reads a whole table or index. SQLite does not say how many rows it reads in a search, but
 * the test on PostgreSQL counts them for nearly the same statements.
 */
function faultsOfDetail(detail: string): readonly string[] {
  const [, scanned, index = ''] = /^SCAN (\w+)(.*)$/.exec(detail) ?? []
  const isBounded = partialIndexes.test(index)
  if (scanned !== undefined && !isSmall(scanned) && !isBounded) return [`scans: ${detail}`]
  // "Last term" sorts only rows that are equal in the terms before.
  return /TEMP B-TREE (?!FOR LAST TERM)|AUTOMATIC/.test(detail) ? [`sorts: ${detail}`] : []
}

/** Whether a name is that of a table with few rows, or of a subquery. */
function isSmall(name: string): boolean {
  return !largeTables.has(name) && !['token', 'successor'].includes(name)
}

/**
 * @param options.maxRows the most rows that a statement may read
 * @param options.isSmall whether the tables have so few rows that PostgreSQL would rather read all
 *   of them. Then it must use an index if there is one
 */
export async function openPostgresJudge(
  url: string,
  { maxRows, isSmall }: { readonly maxRows: number; readonly isSmall: boolean },
): Promise<Judge> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  if (isSmall)
    await client.query(
      'set enable_seqscan = off; set enable_mergejoin = off; set enable_hashjoin = off',
    )
  return {
    async judge({ text, values }) {
      const explain = async (options: string): Promise<PlanNode> => {
        await client.query('begin')
        try {
          const query = `explain (format json${options}) ${text}`
          const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(query, [
            ...values,
          ])
          return rows[0]!['QUERY PLAN'][0].Plan
        } finally {
          await client.query('rollback')
        }
      }
      // Rows that were inserted cannot be inserted again. Their plan reads nothing.
      const plan = await explain(', analyze').catch(() => explain(''))
      return faultsOfNode(plan, maxRows)
    },
    close: () => client.end(),
  }
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly PlanNode[]
}

function faultsOfNode(node: PlanNode, maxRows: number): readonly string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '' } = node
  const { 'Actual Rows': rows = 0, 'Actual Loops': loops = 1, Plans: plans = [] } = node
  const removed =
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  const read = Math.round((rows + removed) * loops)
  const faults: string[] = []
  if (type === 'Seq Scan' && largeTables.has(table)) faults.push(`scans: ${table}, ${read} rows`)
  else if (read > maxRows) faults.push(`reads ${read} rows: ${type} ${table} ${index}`)
  return [...faults, ...plans.flatMap((plan) => faultsOfNode(plan, maxRows))]
}
