import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import type { LimitRate } from '../feature/limit-rate.ts'
import type { Metric } from '../feature/metric.ts'
import { commands } from './commands.ts'
import {
  auditEvents,
  cleanUpSteps,
  features,
  metrics,
  optionSettings,
  rates,
  serverSettings,
  settings,
} from './features.ts'

const source = join(import.meta.dirname, '..')

/** An exported constant of a file. */
interface Constant<T> {
  readonly file: string
  readonly name: string
  readonly value: T
}

/**
 * Finds the wanted records among the exports of files that declare features or parts of features.
 */
async function findRecords<T>(
  isWanted: (record: object) => boolean,
): Promise<readonly Constant<T>[]> {
  const files = globSync(['**/{feature,metrics,rates}.ts', 'configuration/!(*.test).ts'], {
    cwd: source,
  }).toSorted()
  const found: Constant<T>[] = []
  for (const file of files) {
    const exported = (await import(join(source, file))) as Readonly<Record<string, unknown>>
    for (const [name, value] of Object.entries(exported))
      if (typeof value === 'object' && value !== null && isWanted(value))
        found.push({ file, name, value: value as T })
  }
  return found
}

const isRate = (record: object): boolean => 'intervalMilliseconds' in record
const areRates = (record: object): boolean =>
  !isRate(record) &&
  Object.values(record).length > 0 &&
  Object.values(record).every((value) => typeof value === 'object' && value && isRate(value))

/** Finds the rate limits that are exported alone, or in a record of several. */
async function findRates(): Promise<readonly Constant<LimitRate>[]> {
  const several = await findRecords<Readonly<Record<string, LimitRate>>>(areRates)
  return [
    ...(await findRecords<LimitRate>(isRate)),
    ...several.flatMap(({ file, name, value }) =>
      Object.entries(value).map(([key, rate]) => ({ file, name: `${name}.${key}`, value: rate })),
    ),
  ]
}
const isMetric = (record: object): boolean => 'help' in record && 'type' in record

/** Reads the source of a folder, without its tests. */
function sourceIn(folder: string): string {
  const files = globSync('**/*.ts', { cwd: join(source, folder) }).filter(
    (path) => !path.endsWith('.test.ts'),
  )
  return files.map((path) => readFileSync(join(source, folder, path), 'utf8')).join('\n')
}

function namesOf(records: readonly { readonly name: string }[]): readonly string[] {
  return records.map(({ name }) => name).toSorted()
}

it('housekeeping runs each command that deletes expired rows', () => {
  const purges = commands.filter(({ name }) => name.startsWith('purge'))
  assert.deepEqual(namesOf(cleanUpSteps.map(({ command }) => command)), namesOf(purges))
})

describe('the list of features', () => {
  it('the list of features contains every feature that is declared in a file', async () => {
    const files = globSync('**/*.ts', { cwd: source }).filter((file) => !file.endsWith('.test.ts'))
    const declaring = files.filter((file) =>
      /^export const feature\b/m.test(readFileSync(join(source, file), 'utf8')),
    )
    const declared = await Promise.all(
      declaring.map(
        async (file) =>
          ((await import(join(source, file))) as { readonly feature: unknown }).feature,
      ),
    )
    assert.deepEqual(new Set(declared), new Set(features))
    assert.equal(declared.length, features.length)
  })
})

describe('the settings of features', () => {
  it('each setting belongs to apps, to the server, or to both', () => {
    const takenBy = (list: typeof settings): readonly string[] =>
      [...new Set(list.map((setting) => setting.takenBy))].toSorted()
    assert.deepEqual(takenBy(settings), ['app', 'both', 'server'])
    assert.deepEqual(takenBy(optionSettings), ['app', 'both'])
    assert.deepEqual(takenBy(serverSettings), ['both', 'server'])
  })
})

describe('the audit events of features', () => {
  it('features have unique names of lower-case words', () => {
    const names = namesOf(features)
    assert.equal(new Set(names).size, names.length)
    for (const name of names) assert.match(name, /^[a-z-]+$/)
  })

  it('each feature has the name of its folder', async () => {
    const found = await findRecords<{ readonly name: string }>((record) => 'name' in record)
    const declared = found.filter(
      ({ file, name }) => name === 'feature' && file.startsWith('features'),
    )
    assert.ok(declared.length > 20)
    for (const { file, value } of declared) assert.equal(value.name, basename(dirname(file)), file)
  })

  it('audit events have unique names', () => {
    assert.equal(new Set(auditEvents).size, auditEvents.length)
  })

  it('each audit event is recorded by the feature that declares it', async () => {
    const found = await findRecords<{ readonly auditEvents?: readonly string[] }>(
      (record) => 'auditEvents' in record,
    )
    assert.ok(found.length > 0)
    for (const { file, value } of found) {
      const written = sourceIn(dirname(file))
      for (const event of value.auditEvents ?? [])
        assert.match(
          written,
          new RegExp(`(event: |event = |record\\(.*|Change\\(.*)'${event}'`),
          `${event} of ${file}`,
        )
    }
  })
})

describe('the rate limits of features', () => {
  it('the list of rate limits contains every declared rate limit once', async () => {
    assert.deepEqual(namesOf(rates), namesOf((await findRates()).map(({ value }) => value)))
    assert.equal(new Set(namesOf(rates)).size, rates.length)
    for (const name of namesOf(rates)) assert.match(name, /^[a-z-]+$/)
  })

  it('each rate limit has a name in lower case, and whole seconds as its interval', () => {
    for (const { name, intervalMilliseconds } of rates) {
      assert.match(name, /^[a-z]+(-[a-z]+)*$/)
      assert.ok(intervalMilliseconds > 0 && intervalMilliseconds % 1_000 === 0, name)
    }
  })

  it('isRefundedWhole is true only for limits by IP address on logins, links and codes', () => {
    assert.deepEqual(namesOf(rates.filter(({ isRefundedWhole }) => isRefundedWhole)), [
      'address',
      'email-confirm',
      'factor-undo',
      'invitation',
      'reset-confirm',
      'verification-confirm',
    ])
  })

  it('each rate limit is used by the feature that declares it', async () => {
    for (const { file, name } of await findRates())
      assert.match(
        sourceIn(dirname(file)),
        new RegExp(`(useOf|usesAt)\\(${name},|confirmCounted\\(limits, ${name},`),
        `${name} of ${file}`,
      )
  })
})

describe('the metrics of features', () => {
  it('the list of metrics contains every declared metric once', async () => {
    assert.deepEqual(
      namesOf(metrics),
      namesOf((await findRecords<Metric>(isMetric)).map(({ value }) => value)),
    )
    assert.equal(new Set(namesOf(metrics)).size, metrics.length)
    for (const name of namesOf(metrics)) assert.match(name, /^keystile_[a-z\d_]+$/)
  })

  it('each declared metric is used somewhere in the source', async () => {
    const using = sourceIn('.')
    for (const { file, name } of await findRecords<Metric>(isMetric))
      assert.match(using, new RegExp(`((add|observe)\\(|\\w: )${name}\\b`), `${name} of ${file}`)
  })
})
