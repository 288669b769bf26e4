// Compares the OpenAPI document with the server. For each request to an operation, valid or not,
// the document must describe the answer.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { z } from 'zod'
import { freePort } from '../../../../test-support/command.ts'
import {
  bake,
  plansFor,
  type Caller,
  type Callers,
  type Known,
  type Operation,
  type Plan,
} from '../../../../test-support/fuzz-requests.ts'
import type { Parameter, Schema, Sent } from '../../../../test-support/fuzz-requests.ts'
import {
  createTestClock,
  issuer,
  password,
  readAnswer,
  type Answer,
  type TestClock,
} from '../../../../test-support/keystile.ts'
import { openPatientThreads } from '../../../../test-support/patient-threads.ts'
import { listen } from '../../../listener/server.ts'
import { checkOptions } from '../../../server/options.ts'
import { wire, type RunningKeystile } from '../../../server/wire/wire.ts'
import { createPasswords } from '../../credentials/password/password.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { permissions } from '../../tokens/clients/feature.ts'
import { grants } from '../../tokens/oauth/grants.ts'
import { parseEmail, parseUsername } from '../../users/directory/names.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const requests = process.env['KEYSTILE_LONG'] ? 100_000 : 700

/** How often a request that succeeded is sent again: more often than most limits allow. */
const repetitions = 25

/** How often an operation gets its requests again if it has never answered with success, or 401. */
const rounds = 5

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const roles = { reader: ['items:read'] } as const
const profile = z.object({
  nickname: z.string().max(20).optional(),
  age: z.int().min(0).max(150).optional(),
})
const common = { scopes, roles, cookieSession: true, secondFactor: 'optional' }
const configurations: readonly (readonly [
  title: string,
  options: Readonly<Record<string, unknown>>,
])[] = [
  ['without a profile', {}],
  ['with a profile', { profile }],
  ['with closed registration', { registration: 'closed' }],
]

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

interface DocumentedAnswer extends Content {
  readonly headers?: Readonly<Record<string, unknown>>
}

interface DocumentedOperation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, DocumentedAnswer>>
}

interface OpenApi {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, DocumentedOperation>> & { readonly parameters?: readonly Parameter[] }
    >
  >
}

const mail = { from: 'no-reply@example.com', send: () => undefined }

describe('GET /openapi.json', () => {
  for (const [title, options] of [...configurations, ['with mail', { mail }]] as const) {
    it(`GET /openapi.json returns a valid OpenAPI 3.1 document ${title}`, async () => {
      const port = await freePort()
      const url = `http://localhost:${port}`
      const running = await wire(
        checkOptions({ issuer: url, database: ':memory:', docs: 'on', ...common, ...options }),
      )
      const server = await listen(running, { hosts: ['127.0.0.1'], port })
      try {
        const { json } = await readAnswer(await fetch(`${url}/openapi.json`))
        const validator = new Validator()
        assert.deepEqual(await validator.validate(json), { valid: true })
        assert.equal(validator.version, '3.1')
      } finally {
        await server.close()
      }
    })
  }
})

describe('the operations of the OpenAPI document', () => {
  /** How often an operation answered with a status, by method, path and status. */
  const answers = new Map<string, number>()
  let operations: readonly DescribedOperation[]

  /** Returns the 2xx and 401 answers of an operation that no request got yet. */
  function unseen({ method, path, documented }: DescribedOperation): readonly string[] {
    return Object.keys(documented.responses)
      .filter((status) => status === '401' || status.startsWith('2'))
      .map((status) => `${method} ${path} ${status}`)
      .filter((answer) => !answers.has(answer) && !needsApp.has(answer))
  }

  for (const [index, [title, options]] of configurations.entries()) {
    it(`each operation answers as documented, ${title} (KEYSTILE_SEED=${seed})`, async () => {
      const stage = await openStage(options)
      try {
        operations = stage.operations
        const varied = operations.filter(isVaried)
        const share = Math.ceil(requests / configurations.length / varied.length)
        for (const operation of operations) {
          // Some minutes pass, so the limit on refused clients starts again for each operation. The
          // limit on logins takes hours, so each operation has another user who logs in.
          await stage.callers.renew()
          await stage.callers.renew()
          const known = { ...stage.known, usernames: await stage.callers.addUser() }
          const changes = operation.method !== 'GET' && operation.documented.security !== undefined
          let successful: Plan | undefined
          const tryPlan = async (plan: Plan): Promise<number | undefined> => {
            const sent = bake(new URL(issuer).origin, operation, plan, stage.callers)
            if (!sent) return undefined
            const answer = await stage.send(sent)
            const name = `${operation.method} ${operation.path} ${answer.status}`
            answers.set(name, (answers.get(name) ?? 0) + 1)
            stage.check(operation, sent, answer)
            return answer.status
          }
          const property = fc.asyncProperty(plansFor(operation, known), async (plan) => {
            const status = await tryPlan(plan)
            if (status === undefined || status >= 300) return
            successful = plan
            if (changes) await stage.callers.renew()
          })
          const numRuns = isVaried(operation) ? share : 10
          for (
            let round = 0;
            round === 0 || (round < rounds && unseen(operation).length > 0);
            round++
          )
            await fc.assert(property, { seed: seed + index + 1_000 * round, numRuns })
          // The answers of limits must be documented too.
          if (index === 0 && changes && successful !== undefined)
            for (let n = 0; n < repetitions; n++) await tryPlan(successful)
        }
      } finally {
        await stage.close()
      }
    })
  }

  it('random requests got every 2xx and every 401 response of the OpenAPI document', (t) => {
    for (const { method, path, documented } of operations) {
      const statuses = Object.keys(documented.responses)
      const times = (status: string): number => answers.get(`${method} ${path} ${status}`) ?? 0
      t.diagnostic(
        `${method} ${path}: ${statuses.map((status) => `${times(status)} × ${status}`).join(', ')}`,
      )
    }
    assert.deepEqual(operations.flatMap(unseen), [])
  })
})

/** Answers that need a code of an authenticator app: test/flows/second-factor.test.ts has them. */
const needsApp = new Set([
  'POST /auth/users/me/factors/totp/confirm 200',
  'DELETE /auth/users/me/factors/totp 204',
  'POST /auth/users/me/factors/recovery-codes 200',
])

interface DescribedOperation extends Operation {
  readonly documented: DocumentedOperation
}

/** Keystile in this process, on a database in memory, with callers of all kinds. */
interface Stage {
  readonly operations: readonly DescribedOperation[]
  readonly known: Omit<Known, 'usernames'>
  readonly callers: RenewableCallers
  send(sent: Sent): Promise<Answer>
  /** Fails when an answer differs from the document, or contains a secret. */
  check(operation: DescribedOperation, sent: Sent, answer: Answer): void
  close(): Promise<void>
}

async function openStage(options: Readonly<Record<string, unknown>>): Promise<Stage> {
  const clock = createTestClock()
  const log: unknown[] = []
  const failures: unknown[] = []
  const note = (fields: object, message: string): void => void log.push(fields, message)
  const logger = {
    debug: note,
    info: note,
    warn: note,
    error: (fields: object) => void failures.push(fields),
  }
  const base = {
    issuer,
    database: ':memory:',
    clock,
    logger,
    ...common,
    defaultScopes: ['items:read'],
  }
  const running = await wire(checkOptions({ ...base, ...options }))
  const { keystile, document } = running
  const callers = await createCallers(running, clock)
  const validates = createValidators(document)

  function check(
    operation: DescribedOperation,
    { request, secrets, asked, reaches }: Sent,
    answer: Answer,
  ): void {
    const { documented } = operation
    const what = `${request.method} ${request.url} is answered with ${answer.status} ${answer.text}`
    assert.ok(answer.status < 500, what)
    assert.deepEqual(failures, [], what)
    const told = `${answer.text} ${JSON.stringify([...answer.headers])} ${JSON.stringify(log)}`
    // A path may be logged: it contains no secret.
    for (const secret of secrets.filter((text) => !request.url.includes(text))) {
      for (const text of [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
      ]) {
        assert.ok(!told.includes(text), `${what}, and repeats a secret that was sent`)
      }
    }
    if (!reaches)
      return assert.equal(
        answer.status,
        404,
        `${what}, though the operation does not have this path`,
      )

    const promised = documented.responses[answer.status]
    assert.ok(promised, `${what}, which is not documented`)
    for (const name of [
      ...Object.keys(promised.headers ?? {}),
      ...(answer.status === 401 ? ['www-authenticate'] : []),
    ])
      assert.ok(answer.headers.has(name), `${what} without ${name}`)
    if (promised.content) {
      const type = mediaTypeOf(answer.headers)
      assert.ok(promised.content[type], `${what} as "${type}", which is not documented`)
      const pointer = [
        ...pointerOf(operation),
        'responses',
        String(answer.status),
        'content',
        type,
        'schema',
      ]
      assert.equal(validates(pointer, answer.json, { complete: true }), '', what)
    } else assert.equal(answer.text, '', what)

    const faults = asked
      .map(({ pointer, value }) => [
        validates([...pointerOf(operation), ...pointer], value),
        JSON.stringify(value),
      ])
      // A grant ignores the parameters of other grants (RFC 6749 §3.2).
      .filter(
        ([fault = '', value = '']) =>
          fault !== '' && !(fault.includes('max_age') && /"grant_type":"(?!password)/.test(value)),
      )
    if (answer.status < 300)
      assert.deepEqual(faults, [], `${what}, though the request was not as documented`)
    if (answer.status === 422 && asked.length > 0) {
      assert.notDeepEqual(faults, [], `${what}, though ${JSON.stringify(asked)} is as documented`)
    }
  }

  return {
    operations: operationsOf(document as unknown as OpenApi),
    known: {
      password,
      refreshTokens: [callers.refreshToken],
      client: await createClient(running),
      scopes: Object.keys(keystile.scopes),
      roles: ['admin', ...Object.keys(roles)],
    },
    callers,
    async send({ request }) {
      log.length = 0
      if (request.url.endsWith('/session/refresh'))
        request.headers.set('cookie', `__Secure-keystile=${await callers.anotherRefreshToken()}`)
      // Browsers send this header.
      request.headers.set('origin', new URL(issuer).origin)
      const response = await keystile.fetch(request)
      const isStream = mediaTypeOf(response.headers) === 'text/event-stream'
      return isStream ? readBeginning(response) : readAnswer(response)
    },
    check,
    close: () => keystile.close(),
  }
}

/** Reads only the beginning of an answer that does not end. */
async function readBeginning({ status, headers, body }: Response): Promise<Answer> {
  if (!body) throw new Error('a stream must have a body')
  const reader = body.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  const text = Buffer.from(value ?? []).toString()
  return { status, headers, text, json: text as unknown as Answer['json'] }
}

/** Whether the answer depends on the request. */
function isVaried({ parameters, body, documented }: DescribedOperation): boolean {
  return parameters.length > 0 || body !== undefined || documented.security !== undefined
}

function mediaTypeOf(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';')[0]!
}

function operationsOf({ paths }: OpenApi): readonly DescribedOperation[] {
  return Object.entries(paths).flatMap(([path, { parameters = [], ...operations }]) =>
    Object.entries(operations).map(([method, documented]) => {
      const [body] = Object.entries(documented.requestBody?.content ?? {})
      return {
        method: method.toUpperCase(),
        path,
        parameters: [...parameters, ...(documented.parameters ?? [])],
        ...(body && { body: [body[0], body[1].schema] as const }),
        documented,
      }
    }),
  )
}

/** Returns the place of an operation in the document, as a list of keys. */
function pointerOf({ path, method }: Operation): readonly string[] {
  return ['paths', path, method.toLowerCase()]
}

/**
 * Creates a function that checks a value against the schema at a place in the document. It returns
 * the faults as one string, which is empty for a valid value.
 */
function createValidators(
  document: object,
): (
  pointer: readonly string[],
  value: unknown,
  options?: { readonly complete?: boolean },
) => string {
  const [json, form] = [false, true].map((coerceTypes) =>
    new Ajv2020({ strict: false, allErrors: true, coerceTypes })
      .addFormat('email', /^[^@\s]+@[^@\s]+$/)
      .addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      .addFormat('password', true)
      .addSchema(document, 'openapi'),
  )
  const compiled = new Map<string, ValidateFunction>()
  return (pointer, value, { complete = false } = {}) => {
    const escaped = pointer.map((part) =>
      encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')),
    )
    // In a form, each value is a text.
    const ajv = pointer.includes('application/x-www-form-urlencoded') ? form! : json!
    const $ref = `openapi#/${escaped.join('/')}`
    // An answer must not have a member that is not described.
    const validate =
      compiled.get($ref) ?? ajv.compile({ $ref, ...(complete && { unevaluatedProperties: false }) })
    compiled.set($ref, validate)
    return validate(structuredClone(value)) ? '' : ajv.errorsText(validate.errors)
  }
}

async function createClient({ clients }: RunningKeystile): Promise<Known['client']> {
  const id = 'fuzzer'
  const grantTypes = grants.map(({ grantType }) => grantType)
  const client = {
    id,
    grants: grantTypes,
    scopes: [],
    may: permissions,
    confidential: true,
  } as const
  const created = await clients.create(client, byOperator)
  assert.ok(created !== 'taken')
  return { id, secret: created.secret! }
}

interface RenewableCallers extends Callers {
  /** The refresh token of a user that no other caller uses. */
  readonly refreshToken: string
  /** Returns a refresh token of a new session of the same user. */
  anotherRefreshToken(): Promise<string>
  /** Gives all callers new accounts: the old ones may have been changed or deleted. */
  renew(): Promise<void>
  /** Adds a user. Returns the name and the address. */
  addUser(): Promise<readonly string[]>
}

async function createCallers(
  { keystile, users }: RunningKeystile,
  clock: TestClock,
): Promise<RenewableCallers> {
  const hashThreads = openPatientThreads()
  const passwordHash = await createPasswords(hashThreads).hash(password)
  await hashThreads.close()
  const current = new Map<
    Caller,
    { readonly id: string; readonly sessionId: string; readonly token: string }
  >()
  let number = 0

  async function create(name: string, roles: readonly string[] = []): Promise<string> {
    const username = parseUsername(name)!
    const email = parseEmail(`${name}@example.com`)
    const created = await users.create(
      { username, email, passwordHash, scopes: [], roles, profile: {} },
      byOperator,
    )
    assert.ok('user' in created)
    return created.user.publicUser.id
  }

  async function logIn(caller: Caller): Promise<void> {
    const id = await create(`${caller}-${number}`, caller === 'administrator' ? ['admin'] : [])
    const { accessToken } = await keystile.sessions.create({ subject: id })
    const sessionId = decodeJwtUnsafe(accessToken).claims['sid'] as string
    current.set(caller, { id, sessionId, token: accessToken })
  }

  async function renew(): Promise<void> {
    number++
    const former = [...current.values()]
    await logIn('expired')
    clock.advance(601)
    await logIn('early')
    clock.advance(400)
    await logIn('user')
    await logIn('administrator')
    // Demotes the former administrators, so that some requests are about the last administrator.
    for (const { id } of former) {
      const user = await users.readBySubject(id)
      if (user?.roles.includes('admin')) await users.change(user, { roles: [] }, byOperator)
    }
  }

  const subject = await create('keeper')
  const { refreshToken } = await keystile.sessions.create({ subject })
  await renew()
  return {
    renew,
    async addUser() {
      const name = `keeper-${number}`
      await create(name)
      return [name, `${name}@example.com`]
    },
    refreshToken,
    anotherRefreshToken: async () => (await keystile.sessions.create({ subject })).refreshToken,
    token: (caller) => current.get(caller)!.token,
    id(caller, path) {
      const { id, sessionId } = current.get(caller)!
      return path.includes('/sessions/') ? sessionId : id
    },
  }
}
