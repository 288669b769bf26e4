import * as z from 'zod'
import { isLoopback } from '../base/this-machine.ts'
import type { Feature } from '../feature/feature.ts'
import type { GaugeMetric } from '../feature/metric.ts'
import type { Fault, Rule } from '../feature/rule.ts'
import { listSettings, type Setting } from '../feature/setting.ts'
import { openFiles, type Machine } from '../feature/situation.ts'
import { filledString } from '../feature/values.ts'
import { show } from '../feature/wording.ts'
import type { Pool } from '../storage/postgres.ts'
import { findDatabaseServer, isForeignUrl, type DatabaseSource } from '../storage/source.ts'

export interface DatabaseOptions {
  /**
   * A file, a `postgres:` URL, or a pool of pg that stays yours. `:memory:` is for tests: a file in
   * a temporary folder that `close` deletes. A process that is killed leaves it behind, password
   * hashes included.
   */
  readonly database: string | Pool
}

const databaseForm = "must be a file, ':memory:', a postgres: URL"

const database: Setting<'database', string | Pool> = {
  name: 'database',
  takenBy: 'both',
  schema: z.union(
    [
      filledString,
      z.custom<Pool>((value) => typeof (value as Pool | null)?.connect === 'function'),
    ],
    {
      error: `${databaseForm} or a pool of pg`,
    },
  ),
  standAloneDefault: () => 'data/keystile.db',
  defaultText: 'data/keystile.db',
  help: 'a SQLite file or a postgres: URL',
  environment: ['KEYSTILE_DATABASE', 'DATABASE_URL'],
  isSecret: true,
  // A scheme that is no database of ours would otherwise become a file of that name.
  findFaults: (source) =>
    typeof source === 'string' && isForeignUrl(source) ? [`${databaseForm} or a pool of pg`] : [],
}

export const writeQueueLength: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_write_queue_length',
  help: 'Commands that wait to be written, or are being written.',
}

/** Ends of sessions are remembered for this long beyond the tokens that they end. */
const maxClockDifferenceSeconds = 60
const sqliteFull = 2

interface RuleOptions {
  readonly database?: DatabaseSource | undefined
}

const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'postgres-tls',
    standard: 'ASVS 5.0 12.3.2',
    severity: 'warn',
    demand: 'the way to PostgreSQL on another machine is TLS, with the certificate verified',
    find({ options: { database } }, say) {
      if (typeof database === 'object') return undefined // an application's pool does not say
      const server = findDatabaseServer(database)
      if (!server || server.isTlsVerified || isLoopback(server.host)) return []
      const message = `is reached at ${show(server.host)} without verified TLS: anyone in between can read and change everything in it`
      return [
        {
          about: say.name('database'),
          message,
          mend: 'add sslmode=verify-full to the URL, and sslrootcert where the CA is your own',
        },
      ]
    },
  },
  {
    id: 'database-file-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'warn',
    demand: 'the files of a SQLite database are their owner’s alone (a start closes them)',
    find: ({ machine }) =>
      machine && machine.databaseFiles.length > 0
        ? openFiles(machine.databaseFiles).map(({ path }) => ({
            about: path,
            message: 'can be read by others; password hashes and sealed keys lie in it',
            mend: `chmod 600 ${path}`,
          }))
        : undefined,
  },
  {
    id: 'database-opens',
    standard: 'ASVS 5.0 16.5.3',
    severity: 'stop',
    demand: 'the database can be opened: without it, nobody knows what was revoked',
    find: ({ machine }, say) =>
      machine?.database &&
      (machine.database.kind === 'unavailable'
        ? [
            {
              about: 'the database',
              message: `cannot be opened: ${machine.database.reason}`,
              mend: `start it, or correct ${say.name('database')}`,
            },
          ]
        : []),
  },
  {
    id: 'sqlite-durable',
    standard: 'ASVS 5.0 7.4.1',
    severity: 'stop',
    demand: 'SQLite answers a commit when it is on disk (synchronous is FULL)',
    find({ machine }) {
      if (machine?.database?.kind !== 'sqlite') return undefined
      if (machine.database.synchronous >= sqliteFull) return []
      return [
        {
          about: 'SQLite',
          message:
            'does not wait for the disk: a power failure would bring back sessions that were ended',
          mend: 'use a Node whose SQLite obeys pragma synchronous = full',
        },
      ]
    },
  },
  {
    id: 'postgres-durable',
    standard: 'ASVS 5.0 7.4.1',
    severity: 'warn',
    demand: 'PostgreSQL answers a commit when it is on disk (fsync and synchronous_commit are on)',
    find({ machine }) {
      if (machine?.database?.kind !== 'postgres') return undefined
      const { fsync, synchronousCommit } = machine.database
      const off = [
        ...(fsync === 'off' ? ['fsync'] : []),
        ...(synchronousCommit === 'off' ? ['synchronous_commit'] : []),
      ]
      return off.map((setting) => ({
        about: 'PostgreSQL',
        message: `has ${setting}=off: a crash would bring back sessions that were ended`,
        mend: `alter system set ${setting} = on; select pg_reload_conf();`,
      }))
    },
  },
  {
    id: 'clock-right',
    standard: 'ASVS 5.0 16.2.2',
    severity: 'warn',
    demand: `the clock agrees within ${maxClockDifferenceSeconds} s with PostgreSQL’s, and nothing in a SQLite database is of the future`,
    find: ({ machine }) => machine && findClockFaults(machine),
  },
]

function findClockFaults({ now, database, databaseFiles }: Machine): readonly Fault[] | undefined {
  if (database === undefined || database.kind === 'unavailable') return undefined
  const mend = 'set the clock and keep it right: timedatectl set-ntp true'
  if (database.kind === 'postgres') {
    const seconds = Math.round((now - database.now) / 1000)
    if (Math.abs(seconds) <= maxClockDifferenceSeconds) return []
    const message = `is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} PostgreSQL’s: tokens would be good too long or not at all`
    return [{ about: 'the clock', message, mend }]
  }
  const latest = Math.max(
    database.latest ?? 0,
    ...databaseFiles.map(({ modifiedAt }) => modifiedAt),
  )
  const seconds = Math.round((latest - now) / 1000)
  if (seconds <= maxClockDifferenceSeconds) return []
  const message = `is ${seconds} s behind what was last written to the database: tokens that have expired would be good again`
  return [{ about: 'the clock', message, mend }]
}

/** Where everything is kept. */
export const feature: Feature<DatabaseOptions, never, RuleOptions> = {
  name: 'database',
  settings: listSettings<DatabaseOptions>({ database }),
  rules,
  metrics: [writeQueueLength],
}
