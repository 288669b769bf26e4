// npm test: the checks, then all tests on one temporary PostgreSQL.
//
//   npm test                                    everything
//   npm test -- --long                          everything, and the tests that take minutes
//   npm test -- --checks                        only the checks
//   npm test -- test/flows/login.test.ts        one file, without the checks
//   npm test -- --test-name-pattern=refresh     an option of node's test runner, without the checks
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { howToGetPostgres, startPostgres } from '../packages/server/test-support/postgres.ts'
import { writeBatches } from './batches.ts'
import { bundle } from './bundled.ts'
import { checks, report, runCheck } from './checks.ts'
import { longFiles } from './long-files.ts'

const root = join(import.meta.dirname, '..')
const testFiles = [
  'packages/*/src',
  'packages/*/test-support',
  'test',
  'tools',
  'examples',
  'bench',
].map((folder) => `${folder}/**/*.test.ts`)

const endTestFile = import.meta.resolve('./end-test-file.mjs')

const args = process.argv.slice(2)
const isLong = args.includes('--long')
/** The time after which a test file has failed. One test fails after half of it. */
const fileMinutes = isLong ? 120 : 20
const own = new Set(['--long', '--checks'])
const narrowing = args.filter((arg) => !own.has(arg))
const options = narrowing.filter((arg) => arg.startsWith('-'))
const files = narrowing.filter((arg) => !arg.startsWith('-'))

const checksPassed = narrowing.length > 0 || (await runChecks())
// If the checks fail, the tests still run, so that one run shows everything that is wrong.
const testsPassed = args.includes('--checks') || (await runTests())
process.exitCode = checksPassed && testsPassed ? 0 : 1

async function runChecks(): Promise<boolean> {
  const results = await Promise.all(checks.map((check) => runCheck(check, root)))
  console.log(report(results))
  return results.every(({ passed }) => passed)
}

async function runTests(): Promise<boolean> {
  const found = globSync(files.length > 0 ? files : testFiles, {
    cwd: root,
    exclude: ['**/node_modules/**', ...(files.length > 0 || isLong ? [] : longFiles)],
  })
  if (files.length === 0 && !isLong)
    console.log(`Only \`npm run test:long\` runs these files: ${longFiles.join(', ')}`)
  if (found.length === 0) {
    console.error(`There are no tests in ${(files.length > 0 ? files : testFiles).join(', ')}`)
    return false
  }
  const postgres = await startPostgres()
  if (!postgres)
    console.error(
      `\n*** No PostgreSQL: its tests are SKIPPED. To run them, ${howToGetPostgres}. ***\n`,
    )
  if (!postgres && process.env['CI'] === 'true') {
    console.error('CI=true: nothing may be skipped.')
    return false
  }
  // Tests write into this folder. Its removal also removes the files of interrupted tests. All
  // users may read it: if root runs the tests, PostgreSQL runs as a different user.
  const temporary = mkdtempSync(join(tmpdir(), 'keystile-tests-'))
  chmodSync(temporary, 0o755)
  const env = {
    // All processes load the same modules. With this cache, a process finds the compiled modules
    // and starts in half the time.
    NODE_COMPILE_CACHE: join(temporary, 'compiled'),
    ...process.env,
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} ${await bundle(temporary)}`.trim(),
    TMPDIR: temporary,
    ...(postgres && {
      KEYSTILE_TEST_SERVER_IS_NEW: process.env['KEYSTILE_TEST_DATABASE_URL'] ? '' : '1',
      KEYSTILE_TEST_DATABASE_URL: postgres.url,
    }),
    ...(isLong && { KEYSTILE_LONG: '1' }),
    KEYSTILE_TEST_FILE_MINUTES: String(fileMinutes),
  }
  // Runs three test files more than there are cores at the same time, because most tests wait for a
  // process, a disk or a timer. That is four more than Node's default.
  const concurrency = `--test-concurrency=${availableParallelism() + 3}`
  const nodeOptions = [
    '--conditions=source',
    `--import=${endTestFile}`,
    '--test',
    concurrency,
    `--test-timeout=${fileMinutes * 30_000}`,
    ...options,
  ]
  const started = files.length > 0 ? found.toSorted() : writeBatches(found, { root, temporary })
  const runner = spawn(process.execPath, [...nodeOptions, ...started], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  // If a signal interrupts this process, it ends only when the runner has ended and the database
  // has stopped.
  const passOn = (signal: NodeJS.Signals): void => void runner.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, passOn)
  const [code] = await once(runner, 'exit')
  await postgres?.stop()
  rmSync(temporary, { recursive: true, force: true, maxRetries: 10 })
  return code === 0
}
