// Writes the tables in docs/reference/ that are generated from the code: the settings, the
// commands, the endpoints, their bodies and the safety rules; and the runtimes, from the results of
// their tests.
// The text around a table stays as it is.
//
//   node --conditions=source tools/reference-pages.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { commands } from '../packages/server/src/cli/commands.ts'
import { usageOf } from '../packages/server/src/cli/usage.ts'
import {
  describeDefault,
  fileVariableOf,
  flagOf,
  type Setting,
} from '../packages/server/src/feature/setting.ts'
import { rules, settings } from '../packages/server/src/server/features.ts'
import { checkOptions } from '../packages/server/src/server/options.ts'
import { wire } from '../packages/server/src/server/wire/wire.ts'
import { algorithmNames, readResults } from '../test/runtimes/results.ts'

type Row = readonly string[]
interface Operation {
  readonly summary: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: BodySchema }>>
  }
}
interface BodySchema {
  readonly properties: Readonly<Record<string, FieldSchema>>
  readonly required?: readonly string[]
  /**
   * The required fields: for each value of another field, or one list instead of another. If a value
   * has several lists, the page shows the first. Of three lists or more, the page shows none.
   */
  readonly anyOf?: readonly Alternative[]
}
interface Alternative {
  readonly properties?: Readonly<Record<string, { readonly const: string }>>
  readonly required: readonly string[]
}
interface FieldSchema {
  readonly type: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly default?: string
  readonly description?: string
}

const takers = { app: 'app', server: 'server', both: 'app, server' } as const

/** Maps the path of each page, from the root of the repository, to the rows of its table. */
export const tables: Readonly<Record<string, () => readonly Row[] | Promise<readonly Row[]>>> = {
  'docs/reference/settings.md': () => settings.map(describeSetting),
  'docs/reference/commands.md': () =>
    commands.map((command) => [code(`keystile ${usageOf(command)}`), command.summary]),
  'docs/reference/endpoints.md': describeEndpoints,
  'docs/reference/bodies.md': describeBodies,
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
          'closes the connection if a second request arrives before the first is answered',
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

async function describeEndpoints(): Promise<readonly Row[]> {
  return (await readOperations()).map(([method, path, { summary, security }]) => [
    code(`${method} ${path}`),
    summary,
    security ? describeSecurity(security) : (clientNeeds[path] ?? ''),
  ])
}

/** Describes each field of each body, except the forms of pages. */
async function describeBodies(): Promise<readonly Row[]> {
  const operations = await readOperations()
  return operations.flatMap(([method, path, { requestBody }]) => {
    if (!requestBody || path.startsWith('/account/')) return []

    // A form has two media types with one schema.
    return Object.entries(requestBody.content)
      .slice(0, 1)
      .flatMap(([type, { schema }]) =>
        Object.entries(schema.properties).map(([name, field]) => [
          code(`${method} ${path}`),
          type === 'application/json' ? 'JSON' : 'form',
          code(name),
          describeNeed(name, schema),
          describeField(field),
        ]),
      )
  })
}

function describeNeed(name: string, { required = [], anyOf = [] }: BodySchema): string {
  if (required.includes(name)) return 'yes'

  const without = (one: Alternative): string =>
    anyOf
      .filter((other) => other !== one)
      .map((other) => other.required.map(code).join(' and '))
      .join(' or ')
  const isLater = (one: Alternative): boolean =>
    one.properties !== undefined &&
    anyOf.find((other) => isDeepStrictEqual(other.properties, one.properties)) !== one
  return anyOf
    .filter((one) => one.required.includes(name) && !isLater(one))
    .flatMap((one) =>
      one.properties
        ? Object.entries(one.properties)
            .filter(([other]) => other !== name)
            .map(([other, { const: value }]) => `if ${code(other)} is ${code(value)}`)
        : anyOf.length === 2
          ? [`without ${without(one)}`]
          : [],
    )
    .join(' or ')
}

function describeField(field: FieldSchema): string {
  const { type, format, minLength, maxLength, pattern, description } = field
  const form = [
    field.enum?.map(code).join(', '),
    type === 'array' && 'a list of strings',
    type === 'boolean' && 'true or false',
    format === 'email' && 'an e-mail address',
    minLength !== undefined && `${minLength} to ${maxLength} characters`,
    pattern !== undefined && code(pattern),
    field.default && `default: ${code(field.default)}`,
  ].filter(Boolean)
  return [form.join('; '), description].filter(Boolean).join('. ') || 'a string'
}

/** Reads the operations from the OpenAPI document of a server that has all endpoints. */
async function readOperations(): Promise<
  readonly (readonly [method: string, path: string, Operation])[]
> {
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
      .map(([method, operation]) => [method.toUpperCase(), path, operation] as const),
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
