// The safety rules for the database: its connection, its files, its tables, its durability, and the
// clock.
import { isLoopback } from '../base/this-machine.ts'
import { findFileFaults } from '../feature/file-faults.ts'
import type { Fault, Rule } from '../feature/rule.ts'
import { show } from '../feature/shown-value.ts'
import type { Machine } from '../feature/situation.ts'
import type { DatabaseFacts } from '../storage/database-facts.ts'
import { findDatabaseServer, hasPassword } from '../storage/database-url.ts'
import type { DatabaseSource } from '../storage/source.ts'
import { findSchemaFault, standingOf } from '../storage/standing.ts'

/**
 * How wrong the clock may be without a warning. Each process compares the expiry of tokens with its
 * own clock.
 */
const maxClockDifferenceSeconds = 60

/**
 * The file systems on a network, by their number in Linux's `magic.h`. SQLite does not work on
 * them: its write-ahead log needs memory that all processes share, and processes on different
 * machines have no such memory.
 */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
])

/** FULL in `pragma synchronous`. With a lower value, a power failure may undo a commit. */
const sqliteFull = 2

export interface DatabaseRuleOptions {
  readonly database?: DatabaseSource | undefined
  readonly dangerouslyAllowLostCommits?: boolean | undefined
}

export const databaseRules: readonly Rule<DatabaseRuleOptions>[] = [
  {
    id: 'postgres-tls',
    standard: 'ASVS 5.0 12.3.2',
    severity: 'warn',
    demand: 'a connection to PostgreSQL on another machine must use TLS and verify the certificate',
    find({ options: { database } }, say) {
      if (typeof database === 'object') return undefined // a pool does not show its TLS settings

      const server = findDatabaseServer(database)
      if (!server || server.isTlsVerified || isLoopback(server.host)) return []

      const message =
        `must use TLS and verify the certificate of ${show(server.host)}: ` +
        'otherwise anyone on the network between Keystile and PostgreSQL can read and change ' +
        'all data'
      return [
        {
          about: say.name('database'),
          message,
          fix: 'add sslmode=verify-full to the URL, and sslrootcert if you have your own CA',
        },
      ]
    },
  },
  {
    id: 'database-password-hidden',
    standard: 'CWE-214',
    severity: 'warn',
    demand: 'the URL of a database with a password must not be an argument of the command',
    find: ({ flags, options: { database } }, say) =>
      flags?.has('database') && hasPassword(database)
        ? [
            {
              about: say.name('database'),
              message:
                'must not contain a password: other users of this machine can read the arguments ' +
                'of a process',
              fix: `leave ${say.name('database')} out, and ${say.provide('database')}`,
            },
          ]
        : [],
  },
  {
    id: 'database-file-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'warn',
    demand:
      'only the owner may read the files of a SQLite database (Keystile corrects their mode at ' +
      'start), the owner must be root or the user of Keystile, and no other user may replace them',
    find({ machine }) {
      const { databaseFiles = [], openFolder } = machine ?? {}
      if (databaseFiles.length === 0) return undefined
      const faults = findFileFaults(databaseFiles, 'it holds password hashes and encrypted keys')
      return openFolder === undefined ? faults : [...faults, folderFault(openFolder)]
    },
  },
  {
    id: 'database-opens',
    standard: 'ASVS 5.0 16.5.3',
    severity: 'stop',
    demand: 'Keystile must be able to open the database, which records the revoked sessions',
    find: ({ machine }, say) =>
      machine?.database &&
      (machine.database.kind === 'unavailable'
        ? [
            {
              about: 'the database',
              message: `cannot be opened: ${machine.database.reason}`,
              fix: machine.database.fix ?? `start the database, or correct ${say.name('database')}`,
            },
          ]
        : []),
  },
  {
    id: 'tables-current',
    standard: 'ASVS 5.0 16.5.3',
    severity: 'stop',
    demand:
      'the tables must not be those of a newer release that this release cannot use; ' +
      'on PostgreSQL, no migration may be missing either',
    find: ({ machine }) =>
      machine?.database && machine.database.kind !== 'unavailable'
        ? findTableFaults(machine.database)
        : undefined,
  },
  {
    id: 'tables-not-newer',
    standard: 'ASVS 5.0 15.2.1',
    severity: 'warn',
    demand: 'when a newer release has upgraded the tables, this release should be replaced too',
    find({ machine }) {
      if (!machine?.database || machine.database.kind === 'unavailable') return undefined

      const { migrations } = machine.database
      if (standingOf(migrations) !== 'ahead') return []
      return [
        {
          about: 'this release',
          message:
            'should be as new as the tables, which a newer release has upgraded with ' +
            `${migrations.unknown.join(', ')}. It can run on them until a later upgrade`,
          fix: 'install the release that has upgraded the tables, or a newer one',
        },
      ]
    },
  },
  {
    id: 'sqlite-durable',
    standard: 'ASVS 5.0 7.4.1',
    severity: 'stop',
    demand: 'SQLite must confirm a commit only when it is on disk (synchronous = FULL)',
    find({ machine }) {
      if (machine?.database?.kind !== 'sqlite') return undefined
      if (machine.database.synchronous >= sqliteFull) return []
      return [
        {
          about: 'SQLite',
          message:
            'must wait for the disk: otherwise revoked sessions are valid again after a power ' +
            'failure',
          fix: 'use a version of Node whose SQLite supports pragma synchronous = full',
        },
      ]
    },
  },
  {
    id: 'sqlite-local',
    standard: 'ASVS 5.0 7.4.1',
    severity: 'stop',
    demand: 'the SQLite file must be on a disk of this machine, not on NFS, SMB, AFS or Ceph',
    find({ machine }) {
      const type = machine?.databaseFileSystem
      if (type === undefined) return undefined
      const name = networkFileSystems.get(type)
      if (name === undefined) return []
      return [
        {
          about: 'the SQLite file',
          message:
            `must be on a disk of this machine; it is on ${name}. ` +
            'There, SQLite can lose revocations',
          fix: 'move the file to a local disk, or use PostgreSQL',
        },
      ]
    },
  },
  {
    id: 'postgres-durable',
    standard: 'ASVS 5.0 7.4.1',
    severity: 'stop',
    demand:
      'PostgreSQL must have fsync on, unless `dangerouslyAllowLostCommits` is true (Keystile ' +
      'sets synchronous_commit on for its own transactions)',
    find({ options, machine }, say) {
      if (machine?.database?.kind !== 'postgres') return undefined
      if (machine.database.fsync !== 'off' || options.dangerouslyAllowLostCommits === true)
        return []
      return [
        {
          about: 'PostgreSQL',
          message:
            'must have fsync on; it is off. Otherwise revoked sessions are valid again after a ' +
            'crash, or the database is damaged',
          fix:
            'alter system set fsync = on; select pg_reload_conf(); ' +
            `or, for a database of tests, ${say.set('dangerouslyAllowLostCommits', true)}`,
        },
      ]
    },
  },
  {
    id: 'clock-right',
    standard: 'ASVS 5.0 16.2.2',
    severity: 'warn',
    demand:
      `with PostgreSQL, the clock must be within ${maxClockDifferenceSeconds} s of PostgreSQL’s ` +
      'clock; with SQLite, it must not be earlier than the last write to the database',
    find: ({ machine }) => machine && findClockFaults(machine),
  },
]

function findTableFaults({ kind, migrations }: DatabaseFacts): readonly Fault[] {
  const standing = standingOf(migrations)
  if (standing === 'empty' && !migrations.mayMigrate)
    return [
      {
        about: 'the tables',
        message: 'must exist; there are none, and the user of the database may not create them',
        fix: 'run "keystile migrate" as the role that owns the schema',
      },
    ]

  // A start upgrades the tables in a SQLite file.
  const fault = kind === 'sqlite' && standing === 'behind' ? undefined : findSchemaFault(migrations)
  return fault ? [{ about: 'the database', ...fault }] : []
}

/** A warning, because the volumes of containers often have this mode, and no other users. */
function folderFault(folder: string): Fault {
  return {
    about: folder,
    message: 'lets other users replace its files, among them the database and its key',
    fix: `chmod go-w ${folder}`,
  }
}

function findClockFaults({ now, database, databaseFiles }: Machine): readonly Fault[] | undefined {
  if (database === undefined || database.kind === 'unavailable') return undefined
  if (database.kind === 'postgres') return compareWithPostgres(now - database.now)

  const modified = databaseFiles.map(({ modifiedAt }) => modifiedAt)
  return compareWithLastWrite(now - Math.max(database.latest ?? 0, ...modified))
}

const setClock = 'set the clock and synchronise it: timedatectl set-ntp true'

/** @param ahead how far the clock is ahead of PostgreSQL's, in milliseconds */
function compareWithPostgres(ahead: number): readonly Fault[] {
  const seconds = Math.round(ahead / 1000)
  if (Math.abs(seconds) <= maxClockDifferenceSeconds) return []

  const side = seconds > 0 ? 'ahead' : 'behind'
  const message =
    `must be within ${maxClockDifferenceSeconds} s of PostgreSQL’s clock; it is ` +
    `${Math.abs(seconds)} s ${side}. ` +
    'Otherwise tokens would be valid for too long or not at all'
  return [{ about: 'the clock', message, fix: setClock }]
}

/** @param since how long ago the last write was by the clock, in milliseconds */
function compareWithLastWrite(since: number): readonly Fault[] {
  const secondsBehind = Math.round(-since / 1000)
  if (secondsBehind <= maxClockDifferenceSeconds) return []

  const message =
    `must not be behind the last write to the database; it is ${secondsBehind} s behind. ` +
    'Otherwise expired tokens would be valid again'
  return [{ about: 'the clock', message, fix: setClock }]
}
