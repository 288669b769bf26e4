// The body of `POST /session`, in JSON. It has the parameters of `POST /token` for a login and for
// a code.
import type { HttpRequestWithBody, JsonObject } from 'keystile/internal'
import { describeFields, secondsField, strictFields, stringField } from '../../../http/fields.ts'
import { checkFields, getFields, readJsonObject } from '../../../http/json-body.ts'
import { demandParameters } from '../../tokens/oauth/demand-parameters.ts'
import { authorizationCodeGrant } from '../../tokens/oauth/grants/authorization-code.ts'
import {
  firstStep,
  laterStep,
  loginParameters,
  type LoginValues,
} from '../../tokens/oauth/login-endpoint.ts'

/** Each parameter of `POST /token` is a string here too, except `max_age`, a number in JSON. */
const fieldOf = (name: string): ReturnType<typeof secondsField | typeof stringField> =>
  name === 'max_age' ? secondsField() : stringField()

const parameterFields = Object.fromEntries(
  Object.entries({ ...loginParameters, ...authorizationCodeGrant.parameters }).map(
    ([name, { type: _type, ...meta }]) => [name, fieldOf(name).meta(meta).optional()],
  ),
)

const loginFields = strictFields({
  ...parameterFields,
  scope: stringField()
    .default('')
    .meta({ description: 'Scopes, separated by spaces. Default: all scopes that may be granted' }),
})

/** A way to log in: the members that a body must have, and what reads a body that has them. */
interface WayIn {
  readonly required: readonly string[]
  /** @throws {ProblemError} 422 with all faults */
  read(body: JsonObject): Readonly<Record<string, string | number | undefined>>
}

function wayIn(...required: readonly string[]): WayIn {
  const demanded = Object.fromEntries(required.map((name) => [name, fieldOf(name)]))
  const schema = loginFields.extend(demanded)
  return { required, read: (body) => getFields(checkFields(schema, body)) }
}

const withFirstStep = wayIn(...firstStep)
const waysIn: readonly WayIn[] = [
  withFirstStep,
  wayIn(...laterStep),
  wayIn(...authorizationCodeGrant.required),
  ...Object.keys(demandParameters).map((name) => wayIn(name)),
]

/** The JSON Schema of the body. */
export const loginBody: JsonObject = {
  ...describeFields(loginFields),
  anyOf: waysIn.map(({ required }) => ({ required })),
}

/**
 * Reads a login: its first step, a later one with `auth_session`, or its code. An empty value
 * counts as missing, as in a form (RFC 6749 §3.2).
 */
export async function readLogin(request: HttpRequestWithBody): Promise<LoginValues> {
  const body = await readJsonObject(request)
  return Object.fromEntries(
    Object.entries(wayOf(body).read(body)).map(([name, value]) => [
      name,
      value?.toString() || undefined,
    ]),
  )
}

/** Returns the way that a body has wholly, or in part: then the answer says what is missing. */
function wayOf(body: JsonObject): WayIn {
  const has = (name: string): boolean => Object.hasOwn(body, name)
  return (
    waysIn.find(({ required }) => required.every(has)) ??
    waysIn.find(({ required }) => required.some(has)) ??
    withFirstStep
  )
}
