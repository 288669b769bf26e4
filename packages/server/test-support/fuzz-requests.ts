// Makes random requests from Keystile's OpenAPI document: valid requests, and requests that no
// client would send. fast-check generates and shrinks plans of requests. A plan contains names
// instead of tokens and ids, because these exist only when the request is sent.
import { readFileSync } from 'node:fs'
import fc, { type Arbitrary } from 'fast-check'

/** The part of JSON Schema that the document uses. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** Each entry lists members that must be present together. */
  readonly anyOf?: readonly { readonly required: readonly string[]; readonly properties?: object }[]
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly schema: Schema
}

export interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** The media type of the body, and its schema. */
  readonly body?: readonly [type: string, schema: Schema]
}

/**
 * The holder of a token: a user without scopes, an administrator, or a user who logged in long ago
 * (`early`). `expired` means that the token has expired.
 */
export type Caller = 'user' | 'administrator' | 'early' | 'expired'

export type Authorization =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly caller: Caller; readonly scheme: string }
  | {
      readonly kind: 'damaged'
      readonly caller: Caller
      readonly at: number
      readonly text: string
    }
  | { readonly kind: 'twice'; readonly caller: Caller }
  | { readonly kind: 'text'; readonly text: string }

export type Body =
  | { readonly kind: 'none' }
  /** The members of an object. Some of them may be missing, have a wrong type, or appear twice. */
  | {
      readonly kind: 'members'
      readonly members: readonly (readonly [name: string, value: unknown])[]
    }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'zeros'; readonly length: number }

export interface Plan {
  readonly id: { readonly of: Caller } | { readonly text: string }
  readonly query: readonly (readonly [string, string])[]
  readonly authorization: Authorization
  readonly body: Body
  /**
   * The format of the body of kind `members`. The content type fits this format, unless
   * `contentType` is given.
   */
  readonly written: 'json' | 'form' | 'multipart'
  readonly contentType: string | undefined
}

/** Values that exist on the server. Some requests contain them. */
export interface Known {
  readonly password: string
  readonly usernames: readonly string[]
  /** Refresh tokens that are valid or were valid before. */
  readonly refreshTokens: readonly string[]
  /** A client that may use every grant and introspect tokens. */
  readonly client: { readonly id: string; readonly secret: string }
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

/**
 * The first characters of each random password. If an answer repeats a password, the test finds it
 * by these characters.
 */
const secretMark = 'sëcret '

const naughtyStrings: readonly string[] = JSON.parse(
  readFileSync(new URL('../../../test/vectors/blns.json', import.meta.url), 'utf8'),
)
const strange: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...naughtyStrings),
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constant('x'.repeat(2_000)),
)
/** Text that a header may hold. */
const headerText: Arbitrary<string> = strange.map((text) =>
  text.replace(/[^\x20-\x7e\x80-\xff]/g, '').trim(),
)

export function plansFor({ path, parameters, body }: Operation, known: Known): Arbitrary<Plan> {
  const queries = parameters.filter((parameter) => parameter.in === 'query')
  const isForClients =
    body?.[0] === 'application/x-www-form-urlencoded' || path.endsWith('/revocations')
  return fc.record({
    id: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ of: fc.constantFrom<Caller>('user', 'administrator', 'early') }),
      },
      { weight: 2, arbitrary: fc.record({ text: fc.stringMatching(/^[\w-]{22}$/) }) },
      { weight: 2, arbitrary: fc.record({ text: strange }) },
    ),
    query: queryOf(queries, known),
    authorization: isForClients ? authorizationsOf(known) : authorizations,
    body: fc.oneof(
      {
        weight: 12,
        arbitrary: body ? membersOf(body[1], known) : fc.constant<Body>({ kind: 'none' }),
      },
      { weight: 2, arbitrary: fc.json().map((text) => ({ kind: 'text', text }) as const) },
      { weight: 1, arbitrary: strange.map((text) => ({ kind: 'text', text }) as const) },
      {
        weight: 1,
        arbitrary: fc
          .uint8Array()
          .map((bytes) => ({ kind: 'bytes', bytes: new Uint8Array(bytes) }) as const),
      },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(65_536, 65_537, 200_000)
          .map((length) => ({ kind: 'zeros', length }) as const),
      },
      { weight: 1, arbitrary: fc.constant<Body>({ kind: 'none' }) },
    ),
    written: mostly<Plan['written']>(
      body?.[0] === 'application/json' ? 'json' : 'form',
      fc.constantFrom('json', 'form', 'multipart'),
    ),
    contentType: mostly(undefined, contentTypes),
  })
}

/** Generates the usual value in eight of nine cases. */
function mostly<T>(usual: T, other: Arbitrary<T>): Arbitrary<T> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })
}

const contentTypes: Arbitrary<string | undefined> = fc.oneof(
  fc.constantFrom(
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/merge-patch+json',
    'application/jsonx',
    'text/plain',
    'multipart/form-data',
    'multipart/form-data; boundary=other',
    'application/x-www-form-urlencoded; charset=latin1',
    '',
  ),
  headerText,
)

const callers = fc.constantFrom<Caller>('user', 'administrator', 'early', 'expired')
const authorizations: Arbitrary<Authorization> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc
      .constantFrom<Caller>('administrator', 'administrator', 'user')
      .map((caller) => tokenOf(caller, 'Bearer')),
  },
  { weight: 1, arbitrary: fc.constant<Authorization>({ kind: 'none' }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(callers, fc.constantFrom('Bearer', 'bearer', 'BEARER', 'Basic', 'Token', 'Bearer '))
      .map(([caller, scheme]) => tokenOf(caller, scheme)),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('damaged' as const),
      caller: callers,
      at: fc.nat(2_000),
      text: fc.constantFrom('', 'A', '.', '=', ' ', ',', '%00', 'é'),
    }),
  },
  { weight: 1, arbitrary: callers.map((caller) => ({ kind: 'twice', caller }) as const) },
  {
    weight: 1,
    arbitrary: fc
      .oneof(
        fc.constantFrom(
          'Bearer',
          'Bearer ',
          'Bearer null',
          'Bearer a.b.c',
          'Basic',
          'Basic Og==',
          'Basic !',
        ),
        fc
          .constantFrom('first-party:', 'first-party:x', ':', 'unknown:secret', '%zz:', 'no colon')
          .map(basic),
        strange.map(basic),
        headerText,
        headerText.map((text) => `Bearer ${text}`),
      )
      .map((text) => ({ kind: 'text', text }) as const),
  },
)

/** Generates credentials for endpoints where OAuth clients can also authenticate. */
function authorizationsOf({ client }: Known): Arbitrary<Authorization> {
  const text = basic(`${client.id}:${client.secret}`)
  return fc.oneof(
    { weight: 2, arbitrary: authorizations },
    { weight: 1, arbitrary: fc.constant<Authorization>({ kind: 'text', text }) },
  )
}

function tokenOf(caller: Caller, scheme: string): Authorization {
  return { kind: 'token', caller, scheme }
}

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`
}

function queryOf(parameters: readonly Parameter[], known: Known): Arbitrary<Plan['query']> {
  const named = parameters.map(({ name, schema }) =>
    fc
      .oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 3, arbitrary: valueOf(name, schema, known).map(String) },
        { weight: 1, arbitrary: strange },
        { weight: 1, arbitrary: fc.integer().map(String) },
      )
      .map((value) => (value === undefined ? [] : [[name, value] as const])),
  )
  const unknown = mostly<Plan['query']>([], fc.array(fc.tuple(strange, strange), { maxLength: 3 }))
  return fc.tuple(...named, unknown).map((parts) => parts.flat())
}

/**
 * Generates objects that fit a schema, and changes about one in three of them, so that it may no
 * longer fit.
 */
function membersOf(schema: Schema, known: Known): Arbitrary<Body> {
  const valid = objectOf(schema, known).map((value) => Object.entries(value))
  const names = [...Object.keys(schema.properties ?? {}), '__proto__', 'constructor', 'is_admin']
  const edits = fc.oneof(
    fc.record({ how: fc.constant('remove' as const), name: fc.constantFrom(...names) }),
    fc.record({
      how: fc.constantFrom('set' as const, 'add' as const),
      name: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...names) }, strange),
      value: fc.oneof(fc.jsonValue(), strange, fc.constantFrom(null, '', 0, [], {}, true)),
    }),
  )
  const edited = fc.tuple(valid, edits).map(([members, edit]) => {
    const others = edit.how === 'add' ? members : members.filter(([name]) => name !== edit.name)
    return edit.how === 'remove'
      ? others
      : [...others, [edit.name, edit.value] as [string, unknown]]
  })
  return fc
    .oneof({ weight: 2, arbitrary: valid }, { weight: 1, arbitrary: edited })
    .map((members) => ({ kind: 'members', members }))
}

function objectOf(
  { properties = {}, required = [], anyOf }: Schema,
  known: Known,
): Arbitrary<Record<string, unknown>> {
  const members = Object.entries(properties).map(
    ([name, schema]) => [name, valueOf(name, schema, known)] as const,
  )
  // The first way is the usual one. Few of the requests with all kinds of optional members succeed.
  const ways = (anyOf ?? [{ required: [] }]).flatMap((way, at, { length }) => {
    const requiredKeys = [...required, ...way.required]
    const needed = members.filter(([name]) => requiredKeys.includes(name))
    return [
      { weight: at === 0 ? 3 * length : 1, arbitrary: fc.record(Object.fromEntries(needed)) },
      { weight: 1, arbitrary: fc.record(Object.fromEntries(members), { requiredKeys }) },
    ]
  })
  return fc.oneof(...ways)
}

function valueOf(name: string, schema: Schema, known: Known): Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case 'object':
      return objectOf(schema, known)
    case 'array':
      return fc.array(valueOf(name, schema.items ?? {}, known), { maxLength: 3 })
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1_000, max: schema.maximum ?? 1_000 })
    case 'string': {
      const some = knownValues(name, known)
      const madeUp = stringOf(schema)
      if (!some) return madeUp
      // A registration mostly sends a new name. A login mostly sends an existing name.
      const isNew = name === 'username' && schema.pattern !== undefined
      return fc.oneof(
        { weight: isNew ? 1 : 6, arbitrary: fc.constantFrom(...some) },
        { weight: 2, arbitrary: madeUp },
      )
    }
    default:
      return fc.jsonValue()
  }
}

/** Returns the values that exist on the server for a member with this name. */
function knownValues(
  name: string,
  { password, usernames, refreshTokens, client, scopes, roles }: Known,
): readonly string[] | undefined {
  const some: Readonly<Record<string, readonly string[]>> = {
    username: usernames,
    after: usernames,
    password: [password],
    current_password: [password],
    refresh_token: refreshTokens,
    scope: ['', scopes.join(' '), ...scopes],
    scopes,
    roles,
    client_id: ['first-party', client.id],
    client_secret: ['', client.secret],
  }
  return some[name]
}

function stringOf({ format, pattern, minLength = 0, maxLength = 100 }: Schema): Arbitrary<string> {
  if (format === 'email')
    return fc.emailAddress().filter((address) => new RegExp(pattern ?? '').test(address))
  if (format === 'password') {
    const pad = (text: string): string =>
      text + '-'.repeat(Math.max(0, minLength - Array.from(text).length))
    return fc.string({ unit: 'binary' }).map((text) => pad(secretMark + text))
  }
  const text = pattern
    ? fc.stringMatching(new RegExp(pattern), { maxLength })
    : fc.string({ unit: 'binary', minLength, maxLength })
  return text.filter(({ length }) => length >= minLength && length <= maxLength)
}

/** A request, and what a test must know about it to check the answer. */
export interface Sent {
  readonly request: Request
  /** Text that no answer may repeat. */
  readonly secrets: readonly string[]
  /**
   * The values in the request that the OpenAPI document describes. `pointer` is the path to the
   * schema of the value inside the operation.
   */
  readonly asked: readonly { readonly pointer: readonly string[]; readonly value: unknown }[]
  /** Whether the path belongs to the operation. */
  readonly reaches: boolean
}

export interface Callers {
  token(caller: Caller): string
  /** Returns the id to put into `path`: the id of the caller, or the id of the caller's session. */
  id(caller: Caller, path: string): string
}

/**
 * Makes a request from a plan. Returns undefined for a plan that no client could send, for example
 * with a forbidden header.
 */
export function bake(
  origin: string,
  operation: Operation,
  plan: Plan,
  callers: Callers,
): Sent | undefined {
  const id = 'of' in plan.id ? callers.id(plan.id.of, operation.path) : plan.id.text
  // With these ids, the URL would have another path.
  if (!id.isWellFormed() || ['', '.', '..', 'me'].includes(id)) return undefined
  const segment = encodeURIComponent(id)
  const url = new URL(origin + operation.path.replace('{id}', () => segment))
  for (const [name, value] of plan.query) url.searchParams.append(name, value)
  const { body, type } = operation.method === 'GET' ? {} : bodyOf(plan)
  const authorization = authorizationOf(plan.authorization, callers)
  const contentType = plan.contentType ?? type
  const headers = new Headers()
  try {
    if (authorization !== undefined) headers.set('authorization', authorization)
    if (contentType !== undefined) headers.set('content-type', contentType)
  } catch {
    return undefined
  }
  const inPath = operation.parameters.find((parameter) => parameter.in === 'path')
  return {
    request: new Request(url, { method: operation.method, headers, body: body ?? null }),
    secrets: [...secretsOfHeader(plan.authorization, callers), ...secretsOfBody(operation, plan)],
    asked: [...askedInBody(operation, plan), ...askedInQuery(operation, url)],
    reaches: new RegExp(inPath?.schema.pattern ?? '').test(segment),
  }
}

/** Returns the value of the body, if the body has the type that the OpenAPI document requires. */
function askedInBody(
  { body: described, method }: Operation,
  { body, written, contentType }: Plan,
): Sent['asked'] {
  if (!described || method === 'GET' || body.kind !== 'members' || contentType !== undefined)
    return []
  const pointer = ['requestBody', 'content', described[0], 'schema']
  const isJson = described[0] === 'application/json'
  if (isJson !== (written === 'json')) return []
  if (isJson) return [{ pointer, value: JSON.parse(writeMembers(body.members, written)) }]
  // A parameter without a value counts as absent (RFC 6749 §3.2).
  const texts = textsOf(body.members).filter(([, value]) => value !== '')
  return [{ pointer, value: Object.fromEntries(texts) }]
}

function askedInQuery({ parameters }: Operation, url: URL): Sent['asked'] {
  return parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, schema }, at) => {
      const text = url.searchParams.get(name)
      const value = schema.type === 'integer' && /^\d+$/.test(text ?? '') ? Number(text) : text
      return { pointer: ['parameters', String(at), 'schema'], value }
    })
    .filter(({ value }) => value !== null)
}

function authorizationOf(authorization: Authorization, { token }: Callers): string | undefined {
  switch (authorization.kind) {
    case 'none':
      return undefined
    case 'token':
      return `${authorization.scheme} ${token(authorization.caller)}`
    case 'twice':
      return `Bearer ${token(authorization.caller)}, Bearer ${token(authorization.caller)}`
    case 'damaged': {
      const good = token(authorization.caller)
      const at = authorization.at % good.length
      return `Bearer ${good.slice(0, at)}${authorization.text}${good.slice(at + 1)}`
    }
    default:
      return authorization.text
  }
}

function bodyOf({ body, written }: Plan): {
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly type?: string
} {
  const types = {
    json: 'application/json',
    form: 'application/x-www-form-urlencoded',
    multipart: 'multipart/form-data; boundary=b',
  }
  const type = types[written]
  switch (body.kind) {
    case 'none':
      return { type }
    case 'text':
      return { type, body: body.text }
    case 'bytes':
      return { type, body: body.bytes }
    case 'zeros':
      return { type, body: '0'.repeat(body.length) }
    default:
      return { type, body: writeMembers(body.members, written) }
  }
}

function writeMembers(
  members: readonly (readonly [string, unknown])[],
  written: Plan['written'],
): string {
  if (written === 'json') {
    return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`
  }
  const texts = textsOf(members)
  if (written === 'form')
    return new URLSearchParams(texts.map(([name, value]) => [name, value])).toString()
  const parts = texts.map(
    ([name, value]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  return `${parts.join('')}--b--\r\n`
}

function textsOf(
  members: readonly (readonly [string, unknown])[],
): readonly (readonly [string, string])[] {
  return members.map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
}

/** Whether a string is too long to appear in an answer by chance. */
const isSecret = (text: string): boolean => text.length >= 8

function secretsOfHeader(authorization: Authorization, { token }: Callers): readonly string[] {
  switch (authorization.kind) {
    case 'none':
      return []
    case 'text':
      return authorization.text
        .split(/[\s,]+/)
        .slice(1)
        .filter(isSecret)
    default:
      // Only the signature is secret: other tokens may have the same header and similar claims.
      return [token(authorization.caller).split('.')[2]!]
  }
}

function secretsOfBody({ body }: Operation, plan: Plan): readonly string[] {
  if (plan.body.kind !== 'members' || !body) return []
  const isPassword = (name: string): boolean => body[1].properties?.[name]?.format === 'password'
  return plan.body.members
    .filter(([name]) => isPassword(name))
    .map(([, value]) => value)
    .filter((value) => typeof value === 'string')
    .filter((value) => value.startsWith(secretMark) && isSecret(value))
}
