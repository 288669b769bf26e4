// The fields of a form for the fields of a profile. A page only has to ask for the values: the
// profile schema of the app checks them.
import type { JsonObject } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { Field } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import type { PageTexts } from '../../mail/messages/text-types.ts'
import { takenNames } from './field-names.ts'

type YesAndNo = Pick<PageTexts, 'yes' | 'no'>
type Named = Pick<Field, 'name' | 'label'>

/** Fields of a profile, as fields of a form. */
export interface ProfileFields {
  readonly names: readonly string[]
  /** Returns the fields to show. `typed` has the values from the person's last try. */
  show(typed: Form, words: YesAndNo): readonly Omit<Field, 'fault'>[]
  /**
   * Reads the fields from a form, and converts each value to the type that the schema demands. A
   * value that cannot be converted stays a string; the schema then refuses it.
   */
  read(form: Form): JsonObject
  /** Returns the stored values as a person types them. */
  write(profile: JsonObject): Form
}

/**
 * Returns form fields for the fields of a profile, if these are texts, numbers, or values to choose
 * from. Leaves out fields that are objects or lists.
 *
 * @param schema the JSON Schema of the profile
 * @param wanted which fields of the profile: only those that it must have, or all
 */
export function profileFieldsOf(
  schema: JsonObject,
  wanted: 'required' | 'all' = 'required',
): ProfileFields {
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Readonly<Record<string, PropertySchema>>
    readonly required?: readonly string[]
  }
  const fields = (wanted === 'all' ? Object.keys(properties) : required)
    .filter((name) => !takenNames.has(name) && Object.hasOwn(properties, name))
    .flatMap((name) => fieldFor(name, properties[name] ?? {}) ?? [])

  return {
    names: fields.map(({ name }) => name),
    show: (typed, words) =>
      fields.map((field) => ({
        ...field.show(typed.get(field.name), words),
        ...(!required.includes(field.name) && { isOptional: true }),
      })),
    write: (profile) =>
      new Map(
        fields
          .filter(({ name }) => profile[name] !== undefined && profile[name] !== null)
          .map(({ name, write }) => [name, write(profile[name])]),
      ),
    read: (form) =>
      Object.fromEntries(
        fields
          .filter(({ name }) => form.has(name))
          .map(({ name, parse }) => [name, parse(form.get(name) ?? '')]),
      ),
  }
}

interface PropertySchema {
  readonly type?: unknown
  readonly format?: unknown
  readonly title?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly PropertySchema[]
}

interface ProfileField {
  readonly name: string
  show(typed: string | undefined, words: YesAndNo): Omit<Field, 'fault'>
  parse(text: string): unknown
  /** Does the reverse of `parse()`. */
  write(value: unknown): string
}

/** Returns the field for a property; undefined if a form cannot ask for its value. */
function fieldFor(name: string, property: PropertySchema): ProfileField | undefined {
  const named = { name, label: typeof property.title === 'string' ? property.title : name }
  // If the value may have several types, such as a text or null, the form asks for the first one
  // that it knows.
  const alternatives = [property, ...(property.anyOf ?? [])]
  return alternatives
    .flatMap((one) => [choiceField(named, one), textField(named, one)])
    .find((field) => field !== undefined)
}

function choiceField(named: Named, property: PropertySchema): ProfileField | undefined {
  const values = valuesOf(property)
  return (
    values && {
      name: named.name,
      show: (typed, words) => ({ ...named, choices: choicesOf(values, typed, words) }),
      parse: (text) => values.find((value) => JSON.stringify(value) === text) ?? text,
      write: (value) => JSON.stringify(value),
    }
  )
}

function textField(named: Named, { type, format }: PropertySchema): ProfileField | undefined {
  const known = [type].flat().find(isTyped)
  if (!known) return undefined

  const kind = inputTypes[typeof format === 'string' ? format : known] ?? 'text'
  const step = kind === 'number' ? markup` step="any"` : undefined
  return {
    name: named.name,
    show: (typed = '') => ({
      ...named,
      attributes: markup`type="${kind}"${step} value="${typed}"`,
    }),
    parse: known === 'string' ? (text) => text : parseNumber,
    write: String,
  }
}

/** Maps a format or a type of the JSON Schema to the `type` of the HTML input. */
const inputTypes: Partial<Record<string, string>> = {
  number: 'number',
  integer: 'number',
  email: 'email',
  uri: 'url',
  date: 'date',
}

function isTyped(type: unknown): type is 'string' | 'number' | 'integer' {
  return type === 'string' || type === 'number' || type === 'integer'
}

/** Returns the values to choose from; undefined if there are too many to list. */
function valuesOf(property: PropertySchema): readonly unknown[] | undefined {
  if (Object.hasOwn(property, 'const')) return [property.const]
  return property.enum ?? (property.type === 'boolean' ? [true, false] : undefined)
}

function choicesOf(
  values: readonly unknown[],
  typed: string | undefined,
  words: YesAndNo,
): Field['choices'] {
  return values.map((value) => {
    const text = JSON.stringify(value)
    const label = typeof value === 'boolean' ? words[value ? 'yes' : 'no'] : String(value)
    return { value: text, label, isChosen: text === typed }
  })
}

function parseNumber(text: string): unknown {
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}
