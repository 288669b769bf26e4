// npm run mutate: changes the source in small ways and runs the tests. A change that no test
// notices is a rule without a test.
//
//   npm run mutate                                        all rooms of the library
//   npm run mutate -- keystile/token server/http          these rooms
//   npm run mutate -- packages/keystile/src/token/jws.ts  this file
//
// mutate/rooms.ts does the work. The run fails when a mutant survives. If a change cannot matter,
// say why in mutate/explained.txt.
import { globSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { howToGetPostgres, startPostgres } from '../packages/server/test-support/postgres.ts'
import { testRooms } from './mutate/rooms.ts'

const library = 'packages/keystile/src'
const server = 'packages/server/src'
/** The tests of the records of all features: their settings, commands, rules, metrics and so on. */
const records = [`${server}/server/{features,commands}.test.ts`, 'tools/reference-pages.test.ts']

/**
 * The tests that may notice a mutant that the tests of its room do not notice. Each line is a stage:
 * the run ends when no mutant is left.
 */
export const otherTests: Readonly<Record<'keystile' | 'server', readonly string[]>> = {
  keystile: [
    `${library}/{guard,token}/**/*.test.ts`,
    `${library}/{frameworks,openapi}/**/*.test.ts`,
    'test/conformance/{rfc-vectors,wycheproof,disguised-keys}.test.ts',
    'test/{openapi/documents,flows/client,flows/client-accounts}.test.ts',
    'test/adapters/{address,edges,express-4,express-5,fastify,hono,node,web}.test.ts',
    `${server}/cli/terminal.test.ts`,
  ],
  server: [
    `${server}/{configuration,listener,features/{users/directory,operations/housekeeping}}/**/*.test.ts`,
    'test/flows/{at-rest,clients,guessing,login,mail,me,refresh,revoke,sessions}.test.ts',
    `${server}/features/{users/accounts,operations/app-events,operations/audit,tokens/events,mail/proofs,tokens/sessions}/**/*.test.ts`,
    'test/flows/{account,account-rules,app-users,cookie-session,management}.test.ts',
    'test/flows/{email-change,email-verification,password-reset,mail-guessing}.test.ts',
    'test/flows/{account-pages,app-password-reset,confirm-pages,invitations}.test.ts',
    'test/flows/{public-flaws,registration,restore,revocation-feed,verified}.test.ts',
    'test/cli/{backup,client,invitation,migrate,tune}.test.ts',
    'test/{rotation/operator,rotation/own-keys,conformance/dkim}.test.ts',
  ],
}

async function main(): Promise<void> {
  const given = process.argv.slice(2)
  const names = given.length > 0 ? given : globSync(`${library}/*/`).map(nameOf).toSorted()
  const chosen = new Map(names.map((name) => [name, pathOf(name)]))

  const postgres = await startPostgres()
  if (!postgres) throw new Error(`There is no PostgreSQL: ${howToGetPostgres}`)
  process.env['KEYSTILE_TEST_DATABASE_URL'] = postgres.url
  try {
    await run(chosen)
  } finally {
    await postgres.stop()
  }
}

const nameOf = (path: string): string => path.replace(/^packages\/(\w+)\/src\//, '$1/')

/** Returns the folder or the file with this name. @throws {TypeError} if it does not exist */
function pathOf(name: string): string {
  const path = name.replace(/^(keystile|server)\//, 'packages/$1/src/')
  if (!statSync(path, { throwIfNoEntry: false }) || !/^packages\/\w+\/src\//.test(path))
    throw new TypeError(`There is no room or file ${name}. A room is such as keystile/token`)
  return path
}

/** Tests the mutants of several rooms in one run. First with their own tests, which are faster. */
async function run(chosen: ReadonlyMap<string, string>): Promise<void> {
  const isFile = (path: string): boolean => path.endsWith('.ts')
  const paths = [...chosen.values()]
  const find = (patterns: readonly string[]): readonly string[] =>
    globSync([...patterns]).toSorted()
  const ofServer = paths.some((path) => path.startsWith(server))
  const others = [library, server].flatMap((folder, i) =>
    paths.some((path) => path.startsWith(folder))
      ? otherTests[i === 0 ? 'keystile' : 'server']
      : [],
  )
  const counts: Record<string, Record<string, number>> = {}
  await testRooms({
    files: paths
      .flatMap((path) => (isFile(path) ? path : find([`${path}/**/*.ts`])))
      .filter((file) => !file.endsWith('.test.ts')),
    stages: [
      find(paths.map((path) => `${isFile(path) ? dirname(path) : path}/**/*.test.ts`)),
      ofServer ? find(records) : [],
      ...others.map((pattern) => find([pattern])),
    ],
    onNote: console.log,
    onVerdict({ mutant: { file, line, mutator, original, replacement }, fate }) {
      const [name = file] = [...chosen].find(([, path]) => file.startsWith(path)) ?? []
      const ofRoom = (counts[name] ??= {})
      ofRoom[fate] = (ofRoom[fate] ?? 0) + 1
      if (fate !== 'survived' && fate !== 'untested') return
      console.log(`${fate}: ${file}:${line} ${mutator}\n- ${original}\n+ ${replacement}\n`)
      process.exitCode = 1
    },
  })
  console.table(counts)
}

if (import.meta.main) await main()
