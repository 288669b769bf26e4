// Writes the tables in docs/reference/ that are generated from the code: the settings, the
// commands, the endpoints and the safety rules; and the runtimes, from the results of their tests.
// The text around a table stays as it is.
//
//   node --conditions=source tools/reference-pages.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { usageOf } from '../packages/server/src/cli/command.ts'
import { commands } from '../packages/server/src/cli/commands.ts'
import {
  describeDefault,
  fileVariableOf,
  flagOf,
  type Setting,
} from '../packages/server/src/feature/setting.ts'
import { rules, settings } from '../packages/server/src/server/features.ts'
import { checkOptions } from '../packages/server/src/server/options.ts'
import { wire } from '../packages/server/src/server/wire.ts'
import { algorithmNames, readResults } from '../test/runtimes/results.ts'

type Row = readonly string[]
interface Operation {
  readonly summary: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
}

const takers = { app: 'app', server: 'server', both: 'app, server' } as const

/** Maps the path of each page, from the root of the repository, to the rows of its table. */
export const tables: Readonly<Record<string, () => readonly Row[] | Promise<readonly Row[]>>> = {
  'docs/reference/settings.md': () => settings.map(describeSetting),
  'docs/reference/commands.md': () =>
    commands.map((command) => [code(`keystile ${usageOf(command)}`), command.summary]),
  'docs/reference/endpoints.md': describeEndpoints,
  'docs/reference/doctor.md': () =>
    rules.map(({ id, standard, severity, demand }) => [code(id), standard, severity, demand]),
  'docs/reference/runtimes.md': describeRuntimes,
}

/**
 * Returns the page with these rows instead of the old rows of its table. The rows of this table
 * begin with code, and a page has only one such table.
 */
export function writeRows(page: string, rows: readonly Row[]): string {
  const isRow = (line: string): boolean => line.startsWith('| `')
  const lines = page.split('\n')
  const begin = lines.findIndex(isRow)
  return [
    ...lines.slice(0, begin),
    ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
    ...lines.slice(begin).filter((line) => !isRow(line)),
  ].join('\n')
}

function describeSetting(setting: Setting): Row {
  const { name, takenBy, environment = [], help, unit } = setting
  const variables = environment.map((variable) =>
    code(fileVariableOf(setting, variable) ? `${variable}[_FILE]` : variable),
  )
  const flag = flagOf(setting)
  const [meaning = '', ...rest] = help.split('; ')
  const what = unit === undefined ? help : [`${meaning}, in ${unit}`, ...rest].join('; ')

  return [
    code(name),
    takers[takenBy],
    variables.join(', '),
    flag ? code(flag) : '',
    describeDefault(setting) ?? '',
    what,
  ]
}

/** What the tests of other runtimes found. */
function describeRuntimes(): readonly Row[] {
  return Object.entries(readResults()).map(
    ([name, { version, lacks, sameVerdicts, vectors, platform }]) => {
      const missing = Object.keys(lacks)
      const http = [
        platform.closesUnread &&
          'may close the connection after it refuses a request whose body was not read',
        platform.refusesPipelining &&
          'closes the connection if a second request arrives on it before the first is answered',
      ]
      return [
        code(name),
        version,
        missing.length === 0 ? `all ${algorithmNames.length}` : `not ${missing.join(', ')}`,
        `${sameVerdicts} of ${vectors}`,
        http.filter(Boolean).join('; '),
      ]
    },
  )
}

/** What a caller needs at an endpoint whose OpenAPI operation has no security. */
const clientNeeds: Readonly<Record<string, string>> = {
  '/introspect': 'a [client](../guides/clients.md) with `--may introspect`',
  '/revocations': 'a [client](../guides/clients.md) with `--may revocations`',
}

/** Reads the endpoints from the OpenAPI document of a server that has all of them. */
async function describeEndpoints(): Promise<readonly Row[]> {
  const mail = { from: 'no-reply@example.com', send: () => undefined }
  const issuer = 'http://localhost:8000'
  const emailVerification = 'optional'
  const options = { issuer, database: ':memory:', cookieSession: true, mail, emailVerification }
  const { keystile, document } = await wire(checkOptions(options))
  await keystile.close()

  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => method !== 'parameters')
      .map(([method, { summary, security }]) => [
        code(`${method.toUpperCase()} ${path}`),
        summary,
        security ? describeSecurity(security) : (clientNeeds[path] ?? ''),
      ]),
  )
}

function describeSecurity(security: NonNullable<Operation['security']>): string {
  const scopes = security.flatMap((demand) => Object.values(demand).flat())
  if (security.some((demand) => Object.keys(demand).length === 0)) return 'a token or the password'
  return scopes.length > 0 ? `a token with ${scopes.map(code).join(', ')}` : 'a token'
}

function code(text: string): string {
  return `\`${text}\``
}

if (import.meta.main) {
  for (const [name, rows] of Object.entries(tables)) {
    const file = join(import.meta.dirname, '..', name)
    writeFileSync(file, writeRows(readFileSync(file, 'utf8'), await rows()))
  }
}
