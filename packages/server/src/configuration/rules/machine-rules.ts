import { isOpenToOthers } from '../../features/signing-keys/sealing-secret.ts'
import { belongsElsewhere } from '../../features/signing-keys/signing-keys.ts'
import type { Fault, FileFacts, Machine, Rule } from './rule.ts'

/** What bin/keystile.cjs and package.json demand as well. */
const minNode = [24, 15] as const
/** Ends of sessions are remembered for this long beyond the tokens that they end. */
const maxClockDifferenceSeconds = 60
const sqliteFull = 2

/** Rules of what is found on the machine. */
export const machineRules: readonly Rule[] = [
  {
    id: 'settings-complete',
    standard: 'ASVS 5.0 2.2.1',
    severity: 'stop',
    demand: 'every setting is known, and has the form that it should',
    find: ({ faults }) =>
      faults?.map((fault) => {
        const [about = '', ...message] = fault.split(' ')
        return { about, message: message.join(' '), mend: 'see keystile help for what each setting takes' }
      }),
  },
  {
    id: 'node-version',
    standard: 'package.json, engines',
    severity: 'stop',
    demand: `Node is ${minNode.join('.')} or newer: older ones have no finished node:sqlite`,
    find: (situation) =>
      onMachine(situation.machine, ({ nodeVersion }) => {
        const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
        if (major > minNode[0] || (major === minNode[0] && minor >= minNode[1])) return []
        return [
          {
            about: 'Node',
            message: `is ${nodeVersion}, and ${minNode.join('.')} is the oldest that will do`,
            mend: 'install a newer one from https://nodejs.org',
          },
        ]
      }),
  },
  {
    id: 'key-file-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'stop',
    demand: 'keystile.key is its owner’s alone',
    find: ({ machine }) =>
      machine?.keyFile &&
      openFiles([machine.keyFile]).map(({ path }) => ({
        about: path,
        message: 'can be read by others; it opens all signing keys',
        mend: `chmod 600 ${path}`,
      })),
  },
  {
    id: 'secret-files-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'warn',
    demand: 'only their owner can read or write the files that secrets are read from',
    find: ({ machine }) =>
      machine && machine.secretFiles.length > 0
        ? openFiles(machine.secretFiles).map(({ path }) => ({
            about: path,
            message: 'holds a secret, and other users of this machine can read or write it',
            mend: `chmod 600 ${path}`,
          }))
        : undefined,
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
    id: 'issuer-stored',
    standard: 'RFC 8414 §3.3',
    severity: 'stop',
    demand: 'the database belongs to the issuer that is configured',
    find({ machine, options: { issuer } }, say) {
      const { database } = machine ?? {}
      if (database === undefined || database.kind === 'unavailable' || issuer === undefined) return undefined
      if (database.issuer === undefined || database.issuer === issuer) return []
      return [
        {
          about: 'this database',
          message: belongsElsewhere(database.issuer, issuer),
          mend: `${say.set('issuer', database.issuer)}, or use another database`,
        },
      ]
    },
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
          message: 'does not wait for the disk: a power failure would bring back sessions that were ended',
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

function onMachine(
  machine: Machine | undefined,
  find: (machine: Machine) => readonly Fault[],
): readonly Fault[] | undefined {
  return machine && find(machine)
}

function openFiles(files: readonly FileFacts[]): readonly FileFacts[] {
  return files.filter(({ mode = 0 }) => isOpenToOthers(mode))
}

function findClockFaults({ now, database, databaseFiles }: Machine): readonly Fault[] | undefined {
  if (database === undefined || database.kind === 'unavailable') return undefined
  const mend = 'set the clock and keep it right: timedatectl set-ntp true'
  if (database.kind === 'postgres') {
    const seconds = Math.round((now - database.now) / 1000)
    if (Math.abs(seconds) <= maxClockDifferenceSeconds) return []
    const message = `is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} PostgreSQL’s: tokens would be good too long or not at all`
    return [{ about: 'the clock', message, mend }]
  }
  const latest = Math.max(database.latest ?? 0, ...databaseFiles.map(({ modifiedAt }) => modifiedAt))
  const seconds = Math.round((latest - now) / 1000)
  if (seconds <= maxClockDifferenceSeconds) return []
  const message = `is ${seconds} s behind what was last written to the database: tokens that have expired would be good again`
  return [{ about: 'the clock', message, mend }]
}
