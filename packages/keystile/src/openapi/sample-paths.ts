import { isJsonObject, type JsonObject } from '../base/json.ts'

/** Values for the most common patterns of parameters. */
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
const maxSamples = 1_000

/** Yields paths of requests that a documented path may mean. */
export function* samplePaths(
  template: string,
  parameters: readonly unknown[],
  document: object,
): Generator<string> {
  const names = template.match(/(?<=\{)[^{}]+(?=\})/g) ?? []
  const values = names.map((name) => valuesOf(name, parameters, document))
  // First, the values in turn, all parameters at once.
  for (let turn = 0; turn < Math.max(1, ...values.map((list) => list.length)); turn++) {
    yield fill(
      template,
      values.map((list) => list[turn % list.length]),
    )
  }
  // Then, all combinations of the first few values: the more parameters, the fewer values.
  const few = Math.floor(maxSamples ** (1 / names.length))
  for (let number = 0; names.length > 1 && number < few ** names.length; number++) {
    yield fill(
      template,
      values.map((list, place) => list[(Math.floor(number / few ** place) % few) % list.length]),
    )
  }
}

/** Puts values in the place of parameters. One that is missing becomes the most common value. */
function fill(template: string, values: readonly (string | undefined)[]): string {
  let index = 0
  return template.replace(/\{[^{}]+\}/g, () =>
    encodeURIComponent(values[index++] ?? commonValues[0]),
  )
}

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
  const said = [
    parameter?.['example'],
    ...examples,
    schema?.['example'],
    ...[schema?.['examples'] ?? []].flat(),
    schema?.['const'],
    schema?.['default'],
    ...[schema?.['enum'] ?? []].flat(),
  ]
  const texts = said
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .map(String)
  return [...texts, ...commonValues]
}

/** Follows a reference within the document. */
export function resolve(value: unknown, document: object): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined
  const reference = value['$ref']
  if (typeof reference !== 'string') return value
  if (!reference.startsWith('#/')) return undefined
  const found = reference
    .slice(2)
    .split('/')
    .reduce<unknown>(
      (at, part) =>
        isJsonObject(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined,
      document,
    )
  return isJsonObject(found) && !('$ref' in found) ? found : undefined
}
