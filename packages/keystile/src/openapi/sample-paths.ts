// Creates sample paths. The router of a framework matches the paths of requests, not templates. So
// `secure()` asks the router about sample paths that match a template.
import { isJsonObject } from '../base/json.ts'
import { resolve } from './resolve.ts'

/** Values that match the most common patterns of parameters: names, numbers, dates, ids, codes. */
const commonValues = [
  'sample',
  '1',
  'a1',
  '2026',
  '00000000-0000-4000-8000-000000000000',
  '2026-01-01',
  'A',
  'sample.txt',
  'en',
  'sample@example.com',
  '12',
  '123',
  'a',
  'ab',
  'abc',
  'AB',
  'ABC',
  'en-US',
  '1.0',
  '0123456789abcdef01234567',
  '01ARZ3NDEKTSV4RRFFQ69G5FAV',
] as const

/**
 * The maximum number of combinations for one path. It limits the time for a path with many
 * parameters.
 */
const maxSamples = 1_000

/**
 * Yields request paths that match a documented path. For each parameter, uses the examples in the
 * document first.
 */
export function* samplePaths(
  template: string,
  parameters: readonly unknown[],
  document: object,
): Generator<string> {
  const names = template.match(/(?<=\{)[^{}]+(?=\})/g) ?? []
  const values = names.map((name) => valuesOf(name, parameters, document))

  // First uses the first value of each parameter, then the second value of each, and so on.
  for (let turn = 0; turn < Math.max(1, ...values.map((list) => list.length)); turn++) {
    yield fill(
      template,
      values.map((list) => list[turn % list.length]),
    )
  }

  if (names.length < 2) return

  // Then uses all combinations of the first few values. If there are more parameters, it uses fewer
  // values of each. The digits of `number`, in base `few`, are the places of the values.
  const few = Math.floor(maxSamples ** (1 / names.length))
  for (let number = 0; number < few ** names.length; number++) {
    const digits = names.map((_, place) => Math.floor(number / few ** place) % few)
    yield fill(
      template,
      values.map((list, place) => list[(digits[place] ?? 0) % list.length]),
    )
  }
}

/**
 * Replaces the parameters of a template with `values`. For a missing value, uses the first of
 * `commonValues`.
 */
function fill(template: string, values: readonly (string | undefined)[]): string {
  let index = 0
  return template.replace(/\{[^{}]+\}/g, () =>
    encodeURIComponent(values[index++] ?? commonValues[0]),
  )
}

/** Returns the values to try for a parameter: the examples in the document, then common values. */
function valuesOf(
  name: string,
  parameters: readonly unknown[],
  document: object,
): readonly string[] {
  const parameter = parameters
    .map((one) => resolve(one, document))
    .findLast((one) => one?.['in'] === 'path' && one['name'] === name)
  const schema = resolve(parameter?.['schema'], document)
  const examples = Object.values(parameter?.['examples'] ?? {}).map((one: unknown) =>
    isJsonObject(one) ? one['value'] : undefined,
  )

  const written = [
    parameter?.['example'],
    ...examples,
    schema?.['example'],
    ...[schema?.['examples'] ?? []].flat(),
    schema?.['const'],
    schema?.['default'],
    ...[schema?.['enum'] ?? []].flat(),
  ]
  const texts = written
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .map(String)
  return [...texts, ...commonValues]
}
