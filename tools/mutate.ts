// npm run mutate: changes the source in small ways and runs the tests. A change that no test
// notices is a rule without a test.
//
//   npm run mutate                                        all rooms of the library
//   npm run mutate -- keystile/token server/http          these rooms
//   npm run mutate -- packages/keystile/src/token/jws.ts  this file, or `jws.ts:10-20` for lines
//   npm run mutate -- --force …                           forgets the mutants that were killed
//   npm run mutate -- --postgres server/…                 also runs the tests that need PostgreSQL
//
// mutate/rooms.ts does the work. It remembers the mutants that were killed.
//
// The run fails when a mutant survives. If a change cannot matter, say why in mutate/explained.txt.
import { globSync, rmSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { parseArgs } from 'node:util'
import { howToGetPostgres, startPostgres } from '../packages/server/test-support/postgres.ts'
import type { Target } from './mutate/mutants.ts'
import { testRooms } from './mutate/rooms.ts'

const library = 'packages/keystile/src'
const server = 'packages/server/src'
const mailProofs = `${server}/features/mail-proofs/mail-proofs.test.ts`
const auditRecord = `${server}/features/audit/audit-record.test.ts`
const ownUsers = `${server}/features/directory/own-users.test.ts`
/** The tests of the records of all features: their settings, commands, rules, metrics and so on. */
const records = [`${server}/server/{features,commands}.test.ts`, 'tools/reference-pages.test.ts']
const vectors = 'test/conformance/{rfc-vectors,wycheproof,disguised-keys}.test.ts'

/**
 * Maps each room to tests that are outside the room's folder but also notice mutants of the room.
 */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  'keystile/base': [
    `${library}/token/{jwt,jws,access-token}.test.ts`,
    `${library}/http/{message,problem,challenge}.test.ts`,
  ],
  'keystile/http': [`${library}/guard/**/{guard,verifier-issuers,bearer}.test.ts`],
  'keystile/keys': [`${library}/token/jws.test.ts`, vectors],
  'keystile/token': [`${library}/guard/verifier.test.ts`, vectors],
  'keystile/guard': [`${library}/frameworks/**/{guard,assemble-guard}.test.ts`],
  'keystile/frameworks': [
    'test/openapi/documents.test.ts',
    'test/adapters/{address,edges,express-4,express-5,fastify,hono,node,web}.test.ts',
    `${library}/openapi/secure.test.ts`,
  ],
  'keystile/openapi': ['test/openapi/documents.test.ts'],
  'keystile/client': ['test/flows/{client,client-accounts}.test.ts'],
  'keystile/testing': [],
  'keystile/cli': [`${server}/cli/terminal.test.ts`],
  'server/base': [],
  'server/http': [],
  'server/pages': ['test/flows/account-pages.test.ts'],
  'server/storage': [
    'test/flows/{login,refresh,at-rest}.test.ts',
    `${server}/features/events/signals.test.ts`,
  ],
  'server/feature': [
    `${server}/configuration/{options,rules,machine}.test.ts`,
    `${server}/features/housekeeping/housekeeping.test.ts`,
  ],
  'server/features/audit': [],
  'server/features/backup': ['test/cli/backup.test.ts', 'test/flows/restore.test.ts'],
  'server/features/events': [
    `${server}/features/directory/user-cache.test.ts`,
    'test/flows/{me,login}.test.ts',
  ],
  'server/features/revocation-feed': ['test/flows/revocation-feed.test.ts'],
  'server/features/app-events': [],
  'server/features/limits': [
    'test/flows/guessing.test.ts',
    `${server}/configuration/rules.test.ts`,
  ],
  'server/features/metrics': [`${server}/listener/server.test.ts`],
  'server/features/password': [`${server}/configuration/options.test.ts`, 'test/cli/tune.test.ts'],
  'server/features/scopes': [],
  'server/features/known-devices': ['test/flows/guessing.test.ts'],
  'server/features/password-policy': [
    `${server}/configuration/options.test.ts`,
    'test/flows/account-rules.test.ts',
  ],
  'server/features/directory': [
    `${server}/configuration/options.test.ts`,
    'test/flows/{login,me}.test.ts',
  ],
  'server/features/accounts': [
    'test/flows/{management,account,account-rules,registration,me,login}.test.ts',
    'test/flows/{email-change,password-reset,invitations}.test.ts',
    `${server}/configuration/{rules,options}.test.ts`,
    `${server}/features/sessions/sessions.test.ts`,
    mailProofs,
    auditRecord,
  ],
  'server/features/login': ['test/flows/guessing.test.ts'],
  'server/features/signing-keys': [
    'test/flows/{at-rest,login}.test.ts',
    'test/rotation/{operator,own-keys}.test.ts',
    `${server}/configuration/{options,rules,machine}.test.ts`,
    'tools/reference-pages.test.ts',
  ],
  'server/features/sessions': [
    'test/flows/{refresh,revoke,sessions}.test.ts',
    `${server}/configuration/rules.test.ts`,
    `${server}/features/housekeeping/housekeeping.test.ts`,
    `${server}/features/accounts/users.test.ts`,
  ],
  'server/features/clients': ['test/flows/clients.test.ts', 'test/cli/client.test.ts'],
  'server/features/housekeeping': [],
  'server/features/oauth': [
    'test/flows/{login,me,at-rest,clients,guessing}.test.ts',
    ownUsers,
    auditRecord,
  ],
  'server/features/browser-session': [
    'test/flows/cookie-session.test.ts',
    `${server}/configuration/options.test.ts`,
  ],
  'server/features/mail-proofs': [
    'test/flows/{password-reset,email-verification,mail-guessing,public-flaws}.test.ts',
    `${server}/features/housekeeping/housekeeping.test.ts`,
  ],
  'server/features/password-reset': [
    mailProofs,
    'test/flows/{password-reset,app-password-reset}.test.ts',
  ],
  'server/features/email-change': [mailProofs, 'test/flows/email-change.test.ts'],
  'server/features/email-verification': [
    mailProofs,
    'test/flows/{email-verification,verified}.test.ts',
  ],
  'server/features/pending-registration': [mailProofs, 'test/flows/email-verification.test.ts'],
  'server/features/invitations': ['test/flows/invitations.test.ts', 'test/cli/invitation.test.ts'],
  'server/features/account-pages': [
    'test/flows/{account-pages,confirm-pages,invitations,email-change}.test.ts',
    'test/flows/{password-reset,email-verification}.test.ts',
  ],
  'server/features/start-page': [],
  'server/features/mail': ['test/flows/mail.test.ts', 'test/conformance/dkim.test.ts'],
  'server/features/docs': [],
  'server/features/lease': [],
  'server/features/outbox': ['test/flows/{mail,mail-guessing}.test.ts'],
  'server/features/queue': [
    'test/flows/mail.test.ts',
    `${server}/features/app-events/durable.test.ts`,
  ],
  'server/configuration': [],
  'server/listener': ['tools/reference-pages.test.ts', `${server}/configuration/rules.test.ts`],
  'server/cli': ['test/cli/{migrate,tune}.test.ts'],
  'server/server': [
    'test/flows/{login,account,account-pages,account-rules,cookie-session}.test.ts',
    'test/flows/{app-users,app-password-reset,password-reset}.test.ts',
    'test/flows/{email-change,email-verification,revocation-feed}.test.ts',
    `${server}/listener/server.test.ts`,
    ownUsers,
    auditRecord,
  ],
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      force: { type: 'boolean', default: false },
      postgres: { type: 'boolean', default: false },
    },
  })
  const chosen = choose(positionals)

  const postgres = values.postgres ? await startPostgres() : undefined
  if (values.postgres && !postgres) throw new Error(`There is no PostgreSQL: ${howToGetPostgres}`)
  if (postgres) process.env['KEYSTILE_TEST_DATABASE_URL'] = postgres.url

  try {
    await run([...chosen], values.force)
  } finally {
    await postgres?.stop()
  }
}

/**
 * Finds the room that each name means, and the files to mutate in this room. @throws {TypeError} if
 * a name is not the name of a room or of a file in a room
 */
function choose(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const all = Object.keys(rooms)
  const wanted = names.length > 0 ? names : all.filter((room) => room.startsWith('keystile/'))
  const found = new Map<string, readonly string[]>()

  for (const name of wanted) {
    const room = all.find((room) => room === name || name.startsWith(`${folderOf(room)}/`))
    if (!room) throw new TypeError(`There is no room or file ${name}. Rooms: ${all.join(' ')}`)
    const mutate = room === name ? [`${folderOf(room)}/**/*.ts`, '!**/*.test.ts'] : [name]
    found.set(room, [...(found.get(room) ?? []), ...mutate])
  }
  return found
}

export function folderOf(room: string): string {
  return room.replace(/^keystile/, library).replace(/^server/, server)
}

/** Tests the mutants of several rooms in one run. First with their own tests, which are faster. */
async function run(
  chosen: readonly (readonly [room: string, mutate: readonly string[]])[],
  force: boolean,
): Promise<void> {
  const results = '.stryker/results.json'
  if (force) rmSync(results, { force: true })
  const own = find(chosen.map(([room]) => `${folderOf(room)}/**/*.test.ts`))
  // These tests are fast as well, and find what is missing in a record of a feature.
  const ofServer = chosen.some(([room]) => room.startsWith('server/'))
  const ofRecords = ofServer ? find(records).filter((file) => !own.includes(file)) : []
  const others = find(chosen.flatMap(([room]) => rooms[room] ?? []))
  const counts: Record<string, Record<string, number>> = {}
  await testRooms({
    targets: chosen.flatMap(([, mutate]) => findTargets(mutate)),
    stages: [own, ofRecords, others.filter((file) => ![...own, ...ofRecords].includes(file))],
    results,
    onNote: console.log,
    onSurvivor: ({ mutant: { file, line, mutator } }) =>
      console.log(`survives these tests: ${file}:${line} ${mutator}`),
    onVerdict({ mutant: { file, line, mutator, original, replacement }, fate }) {
      const room = chosen.find(([room]) => file.startsWith(`${folderOf(room)}/`))?.[0] ?? file
      const ofRoom = (counts[room] ??= {})
      ofRoom[fate] = (ofRoom[fate] ?? 0) + 1
      if (fate !== 'survived' && fate !== 'untested') return
      console.log(`${fate}: ${file}:${line} ${mutator}\n- ${original}\n+ ${replacement}\n`)
      process.exitCode = 1
    },
  })
  console.table(counts)
}

function find(patterns: readonly string[]): readonly string[] {
  return [...new Set(globSync([...patterns]))].toSorted()
}

/** Finds the files to mutate, for globs, `!` globs of files to leave out, and lines of a file. */
function findTargets(patterns: readonly string[]): readonly Target[] {
  const exclude = patterns.filter((each) => each.startsWith('!')).map((each) => each.slice(1))
  const wanted = patterns.filter((each) => !each.startsWith('!'))
  return wanted.flatMap((pattern) => {
    const [, file = '', first, last] = /^(.*?)(?::(\d+)-(\d+))?$/.exec(pattern) ?? []
    const files = find([file]).filter((file) => !exclude.some((each) => matchesGlob(file, each)))
    if (files.length === 0) throw new TypeError(`no file ${pattern} (lines: file.ts:10-20)`)
    const lines = first !== undefined && { first: Number(first), last: Number(last) }
    return files.map((file) => ({ file, ...(lines && { lines }) }))
  })
}

if (import.meta.main) await main()
