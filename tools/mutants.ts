// What `npm run mutate` runs, as data: the rooms with the tests that should notice a change, and the changes that no test can.

export interface MutatedRoom {
  readonly folder: string
  /** Only these of its files. Default: all. */
  readonly files?: readonly string[]
  /** Tests further off, in the order in which they are tried; each list is one process. */
  readonly tests: readonly (readonly string[])[]
}

/** Why a change may go unnoticed. */
export interface Explanation {
  readonly file: string
  /** The changed line, without its indentation. */
  readonly line: string
  /** As it is printed. Left out: all changes of this line. */
  readonly mutation?: string
  readonly why: string
}

const library = 'packages/keystile/src'
const server = 'packages/server/src'
const vectors = ['rfc-vectors', 'wycheproof', 'disguised-keys'].map((name) => `test/conformance/${name}.test.ts`)
/** Each flow a process of its own, so that one which notices early spares the others. */
const flows = (...names: readonly string[]): readonly (readonly string[])[] =>
  names.map((name) => [`test/flows/${name}.test.ts`])

const rulesTest = ['test/rules/rules.test.ts']

export const rooms: Readonly<Record<string, MutatedRoom>> = {
  'keystile/base': {
    folder: `${library}/base`,
    tests: [
      ['jwt', 'jws', 'access-token'].map((name) => `${library}/token/${name}.test.ts`),
      ['message', 'problem', 'challenge'].map((name) => `${library}/http/${name}.test.ts`),
    ],
  },
  'keystile/keys': { folder: `${library}/keys`, tests: [[`${library}/token/jws.test.ts`], vectors] },
  'keystile/token': { folder: `${library}/token`, tests: [[`${library}/guard/verifier.test.ts`], vectors] },
  'keystile/guard': {
    folder: `${library}/guard`,
    tests: [['hono/guard', 'node/guard', 'assemble-guard'].map((name) => `${library}/frameworks/${name}.test.ts`)],
  },
  'keystile/http': {
    folder: `${library}/http`,
    tests: [['guard', 'schemes/bearer'].map((name) => `${library}/guard/${name}.test.ts`)],
  },
  'keystile/frameworks': {
    folder: `${library}/frameworks`,
    tests: [
      ['address', 'edges', 'express-4', 'express-5', 'fastify', 'hono', 'node', 'web'].map(
        (n) => `test/adapters/${n}.test.ts`,
      ),
      [`${library}/openapi/secure.test.ts`],
    ],
  },
  'keystile/client': { folder: `${library}/client`, tests: flows('client') },
  'keystile/testing': { folder: `${library}/testing`, tests: [] },
  'keystile/openapi': { folder: `${library}/openapi`, tests: [['test/openapi/documents.test.ts']] },
  'server/base': { folder: `${server}/base`, tests: [rulesTest, ...flows('refresh', 'at-rest', 'guessing')] },
  'server/http': { folder: `${server}/http`, tests: flows('account') },
  'server/features/audit': { folder: `${server}/features/audit`, tests: flows('audit') },
  'server/features/events': { folder: `${server}/features/events`, tests: flows('me', 'login') },
  'server/features/limits': {
    folder: `${server}/features/limits`,
    tests: [rulesTest, ...flows('guessing', 'limits-volume')],
  },
  'server/features/metrics': { folder: `${server}/features/metrics`, tests: [] },
  'server/features/password': {
    folder: `${server}/features/password`,
    tests: [[`${server}/configuration/options.test.ts`], ...flows('login', 'registration')],
  },
  'server/features/scopes': { folder: `${server}/features/scopes`, tests: [] },
  'server/features/known-devices': { folder: `${server}/features/known-devices`, tests: flows('guessing') },
  'server/features/password-policy': { folder: `${server}/features/password-policy`, tests: flows('registration') },
  'server/features/directory': { folder: `${server}/features/directory`, tests: flows('own-users', 'login', 'me') },
  'server/features/accounts': {
    folder: `${server}/features/accounts`,
    tests: [rulesTest, ...flows('management', 'account', 'registration', 'me', 'login', 'audit')],
  },
  'server/features/signing-keys': {
    folder: `${server}/features/signing-keys`,
    tests: [rulesTest, ...flows('at-rest', 'login')],
  },
  'server/features/sessions': {
    folder: `${server}/features/sessions`,
    tests: [rulesTest, ...flows('refresh', 'revoke', 'sessions', 'login', 'own-users', 'account', 'audit')],
  },
  'server/features/clients': { folder: `${server}/features/clients`, tests: flows('clients') },
  'server/features/housekeeping': { folder: `${server}/features/housekeeping`, tests: flows('housekeeping') },
  'server/features/oauth': {
    folder: `${server}/features/oauth`,
    tests: flows('login', 'own-users', 'me', 'at-rest', 'clients', 'audit', 'guessing'),
  },
  'server/features/browser-session': {
    folder: `${server}/features/browser-session`,
    tests: [rulesTest, ...flows('cookie-session')],
  },
  'server/configuration': {
    folder: `${server}/configuration`,
    files: ['options.ts', 'check.ts', 'rules.ts', 'proxy-rules.ts', 'machine-rules.ts', 'database-rules.ts'],
    tests: [rulesTest],
  },
  'server/listener': {
    folder: `${server}/listener`,
    files: ['rules.ts', 'slow-readers.ts', 'pipelining.ts'],
    tests: [rulesTest, [`${server}/listener/server.test.ts`]],
  },
}

const undefinedIsDropped = 'a member that is undefined is not written as JSON'
const forTheCompiler = 'narrows the type; the rest says the same'

export const explained: readonly Explanation[] = [
  {
    file: `${library}/frameworks/node/node-request.ts`,
    line: "if (rawHeaders[i]!.length === 13 && rawHeaders[i]!.toLowerCase() === 'authorization') {",
    mutation: 'dropped: rawHeaders[i]!.length === 13',
    why: 'spares folding the case of every other name',
  },
  {
    file: `${library}/base/json.ts`,
    line: "if (typeof value === 'string' && mayHoldSurrogates && !value.isWellFormed()) {",
    mutation: 'dropped: mayHoldSurrogates',
    why: 'spares the look where the text has no escape, for then there is no surrogate',
  },
  {
    file: `${library}/base/json.ts`,
    line: 'for (let i = 0; i < text.length; i++) {',
    why: 'the first character of an object is no quote and no colon, and behind the last there is none',
  },
  {
    file: `${library}/base/json.ts`,
    line: 'else if (inString && code === 0x5c) i++',
    mutation: 'dropped: inString',
    why: 'valid JSON has no backslash outside strings',
  },
  {
    file: `${library}/client/bearer-fetch.ts`,
    line: "return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body)",
    mutation: "dropped: 'getReader' in body",
    why: 'the streams of Node are asynchronously iterable; those of some browsers are not',
  },
  {
    file: `${library}/client/lease.ts`,
    line: 'const lookEvery = 50',
    why: 'half of it to one and a half is drawn at random',
  },
  {
    file: `${library}/client/session.ts`,
    line: "export const unknownSession: Session = { id: '', accessToken: '', refreshToken: '', askedAt: 0, lifetime: 0 }",
    why: 'is as old as can be',
  },
  {
    file: `${library}/client/session.ts`,
    line: "let seen = { accessToken: '', age: 0, at: 0 }",
    why: 'is no token that anybody was given',
  },
  {
    file: `${library}/client/sessions.ts`,
    line: "if (error instanceof ClientError && error.code === 'invalid_grant') return undefined",
    mutation: 'dropped: error instanceof ClientError',
    why: forTheCompiler,
  },
  {
    file: `${library}/client/sessions.ts`,
    line: 'await storage.write(key, session && JSON.stringify(session))',
    mutation: 'dropped: session',
    why: 'JSON.stringify makes undefined of undefined; its type does not say so',
  },
  {
    file: `${library}/client/tab-lock.ts`,
    line: 'const leases = indexedDB && (await openLeases(indexedDB).catch(() => undefined))',
    mutation: 'dropped: indexedDB',
    why: forTheCompiler,
  },
  {
    file: `${library}/http/message.ts`,
    line: 'const path = query < 0 ? target : target.slice(0, query)',
    mutation: '<= in: query < 0',
    why: 'the first character is a slash',
  },
  {
    file: `${library}/http/problem.ts`,
    line: '...(error instanceof ProblemError && error.errors && { errors: error.errors }),',
    mutation: 'dropped: error instanceof ProblemError',
    why: forTheCompiler,
  },
  {
    file: `${library}/http/problem.ts`,
    line: '...(error instanceof ProblemError && error.errors && { errors: error.errors }),',
    mutation: 'dropped: error.errors',
    why: undefinedIsDropped,
  },
  {
    file: `${library}/keys/jwk-set.ts`,
    line: "const symmetric = jwks.filter((jwk) => jwk['kty'] === 'oct').length",
    mutation: "!== in: jwk['kty'] === 'oct'",
    why: 'a set is mixed where some of its keys are secrets, which is where some are none',
  },
  {
    file: `${library}/keys/jwk.ts`,
    line: "if ('pem' in source && typeof source.pem === 'string')",
    mutation: "dropped: 'pem' in source",
    why: forTheCompiler,
  },
  {
    file: `${library}/keys/jwk.ts`,
    line: "? generateKeyPairSync('rsa', { modulusLength: 2048 })",
    mutation: '2048 becomes 2049',
    why: 'OpenSSL makes 2048 bits of it',
  },
  {
    file: `${library}/keys/jwk.ts`,
    line: "if (error instanceof TypeError && !('code' in error)) throw error",
    mutation: 'dropped: error instanceof TypeError',
    why: 'what node:crypto throws has a code, and what we throw is a TypeError',
  },
  {
    file: `${library}/keys/jwk.ts`,
    line: "if (algorithm.keyType === 'oct') throw expected",
    mutation: 'dropped: throw',
    why: 'the comparison of kty refuses it too; here it is refused before it is read',
  },
  {
    file: `${library}/keys/jwk.ts`,
    line: "if (!['rsa', 'ec', 'ed25519'].includes(verifyingKey.asymmetricKeyType ?? '')) throw expected",
    mutation: 'dropped: throw',
    why: 'a key of another type has no JWK, or one of another kty or crv; a Node to come may see that otherwise',
  },
  {
    file: `${library}/keys/jwk.ts`,
    line: 'if (kty !== algorithm.keyType || crv !== algorithm.curve) throw expected',
    mutation: 'dropped: kty !== algorithm.keyType',
    why: 'of the types that are left, the curve tells which: RSA has none',
  },
  {
    file: `${library}/keys/rsa-strength.ts`,
    line: 'const minExponent = 65537n',
    mutation: '65537n becomes 65536n',
    why: 'an even exponent is refused for being even',
  },
  {
    file: `${library}/keys/rsa-strength.ts`,
    line: 'const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}',
    why: 'an RSA key has both; without them it would be refused, by whatever small number',
  },
  {
    file: `${library}/keys/rsa-strength.ts`,
    line: "if (modulus && isRocaModulus(BigInt(`0x${modulus.toString('hex')}`))) {",
    mutation: 'dropped: modulus',
    why: forTheCompiler,
  },
  {
    file: `${library}/guard/revocations.ts`,
    line: '(sessionId !== undefined && ended.session.has(sessionId)),',
    mutation: 'dropped: sessionId !== undefined',
    why: forTheCompiler,
  },
  ...[
    'dropped: first < 0',
    'dropped: second < 0',
    '<= in: second < 0',
    "> in: token.indexOf('.', second + 1) >= 0",
  ].map((mutation) => ({
    file: `${library}/token/jws.ts`,
    line: "if (first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0) throw malformed('not three segments')",
    mutation,
    why: 'where a dot is missing, the next search begins anew and another of the three says so; none but the first is at 0',
  })),
  {
    file: `${library}/token/jwt.ts`,
    line: 'const header = { alg: key.algorithm.name, ...(key.keyId !== undefined && { kid: key.keyId }), typ: type }',
    mutation: 'dropped: key.keyId !== undefined',
    why: undefinedIsDropped,
  },
  ...['60_000 becomes 60001', '60_000 becomes 59999'].map((mutation) => ({
    file: `${server}/features/housekeeping/housekeeping.ts`,
    line: 'const intervalMilliseconds = 60_000',
    mutation,
    why: 'how often is a matter of taste',
  })),
  ...['20 becomes 19', '20 becomes 21'].map((mutation) => ({
    file: `${server}/features/housekeeping/housekeeping.ts`,
    line: 'const pauseMilliseconds = 20',
    mutation,
    why: 'how long is a matter of taste',
  })),
  ...['dropped: id !== undefined', 'dropped: secret !== undefined'].map((mutation) => ({
    file: `${server}/features/clients/client-authentication.ts`,
    line: 'isBase64 && id !== undefined && secret !== undefined ? [decodeFormComponent(id), decodeFormComponent(secret)] : []',
    mutation,
    why: forTheCompiler,
  })),
  {
    file: `${server}/configuration/proxy-rules.ts`,
    line: 'const firstBytes = Array.from({ length: 256 }, (_, byte) => byte)',
    why: 'no network that is too wide ends at its last /8 alone, and there is none beyond',
  },
  {
    file: `${server}/configuration/database-rules.ts`,
    line: "const message = `is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} PostgreSQL’s: tokens would be good too long or not at all`",
    mutation: '>= in: seconds > 0',
    why: 'a difference of 0 was let through above',
  },
  ...['2 becomes 3', '4 becomes 3'].map((mutation) => ({
    file: `${server}/configuration/proxy-rules.ts`,
    line: mutation.startsWith('2')
      ? '{ tooMany: 2, addresses: firstBytes.map((byte) => `::ffff:${byte}.0.0.1`) },'
      : '{ tooMany: 4, addresses: firstBytes.map((byte) => `${byte.toString(16)}00::1`) },',
    mutation,
    why: 'a network has a power of two of them',
  })),
  {
    file: `${server}/features/events/store.ts`,
    line: 'const maxNumberedAtOnce = 1_000',
    why: 'the rest comes with the next round, which follows at once',
  },
  {
    file: `${server}/features/events/store.ts`,
    line: 'if (numbered.length > 0)',
    mutation: '>= in: numbered.length > 0',
    why: 'adds nothing to the number',
  },
  {
    file: `${server}/features/signing-keys/sealing-secret.ts`,
    line: "writeFileSync(draft, `${randomBytes(32).toString('base64url')}\\n`, { mode: 0o600, flag: 'wx', flush: true })",
    why: 'what is flushed shows after a power cut only',
  },
  {
    file: `${server}/features/signing-keys/sealing-secret.ts`,
    line: "if (process.platform !== 'win32' && isOpenToOthers(statSync(file).mode)) {",
    mutation: "dropped: process.platform !== 'win32'",
    why: 'says more on Windows alone, where files have no such modes',
  },
  ...[
    ['const lateMilliseconds = 30_000', '30_000 becomes 30001', 'what is read again is left out again'],
    ['let newest = 0', '0 becomes 1', 'a millisecond of 1970'],
    ['let horizon = 0', '0 becomes 1', 'a millisecond of 1970'],
    [
      'for await (const { at } of listAudit(reader, { subject, last: 1 })) newest = at',
      '1 becomes 0',
      'without a last line all is read again, and left out',
    ],
    [
      'for await (const { at } of listAudit(reader, { subject, last: 1 })) newest = at',
      '1 becomes 2',
      'the last of two is the last',
    ],
    [
      'if (row.at >= horizon) known.add(row.id)',
      '> in: row.at >= horizon',
      'it was known before, unless it came through after just 30 s',
    ],
  ].map(([line = '', mutation = '', why = '']) => ({
    file: `${server}/features/audit/follow.ts`,
    line,
    mutation,
    why,
  })),
  {
    file: `${server}/features/audit/store.ts`,
    line: 'const pageSize = 500',
    why: 'pages of any size hold the same',
  },
  {
    file: `${server}/features/audit/store.ts`,
    line: 'const { since = 0, subject, last } = filter',
    mutation: '0 becomes 1',
    why: 'a millisecond of 1970',
  },
  {
    file: `${server}/features/login/password.ts`,
    line: "if (!directory.active(found)) return { found, reason: 'inactive' }",
    why: 'spares the second look, which refuses too',
  },
  {
    file: `${server}/features/accounts/management-routes.ts`,
    line: "limit: { type: 'integer', minimum: 1, maximum: maxPageSize, default: defaultPageSize },",
    why: 'documentation; what is taken is decided in readLimit',
  },
  {
    file: `${server}/features/password/scrypt.ts`,
    line: 'const maxmem = 128 * r * (N + p + 2)',
    mutation: '128 becomes 129',
    why: 'allows more than is needed',
  },
  {
    file: `${server}/features/password-policy/blocklist.ts`,
    line: 'if (order < 0) from = end + 1',
    mutation: '<= in: order < 0',
    why: 'a line that is the same was answered above',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'const maxCommonLength = 20',
    mutation: '20 becomes 21',
    why: 'looks for what no line of the list is long enough for',
  },
  {
    file: `${server}/features/password/password.ts`,
    line: 'const isKnown = stored !== undefined && isHash(stored)',
    mutation: 'dropped: stored !== undefined',
    why: forTheCompiler,
  },
  {
    file: `${server}/features/directory/names.ts`,
    line: 'if (!text.isWellFormed() || /[\\s\\p{Cc}\\p{Cf}]/u.test(text)) return undefined',
    mutation: 'dropped: !text.isWellFormed()',
    why: 'a lone surrogate is no letter of a local part and none of a domain',
  },
  ...['dropped: domain.length <= 253', '< in: domain.length <= 253', '253 becomes 252', '253 becomes 254'].map(
    (mutation) => ({
      file: `${server}/features/directory/names.ts`,
      line: 'return domain.length <= 253 && labels.length > 1 && labels.every(isLabel) && /^[a-z]/.test(labels.at(-1)!)',
      mutation,
      why: 'an address of 254 bytes has a domain of 252 at most',
    }),
  ),
  {
    file: `${server}/features/accounts/users.ts`,
    line: 'const cacheSize = 10_000',
    why: 'bounds the memory, to one user more or less',
  },
  {
    file: `${server}/features/password/hash-thread.ts`,
    line: 'if (getPriority() < wanted) setPriority(0, wanted)',
    mutation: '<= in: getPriority() < wanted',
    why: 'sets what is set',
  },
  {
    file: `${server}/features/password/hash-threads.ts`,
    line: 'if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1)',
    mutation: 'negated: idle.includes(worker)',
    why: 'an idle thread ends by a crash alone, which no test can cause',
  },
  {
    file: `${server}/features/accounts/users.ts`,
    line: "feed.onEvent(({ kind, value }) => kind === 'subject' && cache.forget(value))",
    mutation: "dropped: kind === 'subject'",
    why: 'no user has the id of a session',
  },
  {
    file: `${server}/features/accounts/users.ts`,
    line: 'await settle(user, false)',
    mutation: 'false becomes true',
    why: 'asks for news that there are not',
  },
  {
    file: `${server}/features/sessions/refresh-rule.ts`,
    line: "if (repeatableUntil !== null && now <= repeatableUntil) return 'repeat'",
    mutation: 'dropped: repeatableUntil !== null',
    why: forTheCompiler,
  },
  {
    file: `${server}/features/sessions/refresh-rule.ts`,
    line: "return lateRetryAt === null || now - lateRetryAt >= lateRetryMilliseconds ? 'late-retry' : 'reuse'",
    mutation: 'dropped: lateRetryAt === null',
    why: 'null is subtracted as 0: a retry in 1970, which is long ago',
  },
  ...['dropped: id === undefined', 'dropped: secret === undefined'].map((mutation) => ({
    file: `${server}/features/sessions/refresh-tokens.ts`,
    line: 'return id === undefined || secret === undefined ? undefined : { id, secret }',
    mutation,
    why: 'the expression has both or neither',
  })),
  {
    file: `${server}/features/password/hash-threads.ts`,
    line: 'resourceLimits: { maxYoungGenerationSizeMb: 3 },',
    why: 'how much garbage lies in a thread is seen by nobody',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'part.filter((_, i) => i % 2 === which),',
    mutation: '!== in: i % 2 === which',
    why: 'each half is looked at, whichever is first',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'const isCore = core.length >= minCoreLength && core.length < whole.length && findPlain(core) !== undefined',
    mutation: 'dropped: core.length < whole.length',
    why: 'the whole was looked at before',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'const isCore = core.length >= minCoreLength && core.length < whole.length && findPlain(core) !== undefined',
    mutation: '<= in: core.length < whole.length',
    why: 'the whole was looked at before',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'for (let at = 0; at < characters.length && pieces < minLength; at += pieceAt(characters, at)) pieces++',
    mutation: 'dropped: pieces < minLength',
    why: 'it stops as soon as it is known',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'for (let at = 0; at < characters.length && pieces < minLength; at += pieceAt(characters, at)) pieces++',
    mutation: '<= in: pieces < minLength',
    why: 'it stops as soon as it is known',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'let length = 1',
    mutation: '1 becomes 0',
    why: 'the first character is itself',
  },
  {
    file: `${server}/features/password-policy/expected-password.ts`,
    line: 'while (start + length < characters.length && follows(length)) length++',
    mutation: '<= in: start + length < characters.length',
    why: 'behind the end there is nothing more to count',
  },
  {
    file: `${server}/features/password/fair-queue.ts`,
    line: 'for (const line of lines.values()) if (line.length > longest.length) longest = line',
    mutation: '>= in: line.length > longest.length',
    why: 'of two that are as long it is either',
  },
  {
    file: `${server}/features/password/hashing-cost.ts`,
    line: 'if (chosen.milliseconds > options.milliseconds) return chosen',
    mutation: '>= in: chosen.milliseconds > options.milliseconds',
    why: 'no two times are the same to the last bit',
  },
  {
    file: `${server}/features/password/hashing-cost.ts`,
    line: 'if (milliseconds > options.milliseconds) return false',
    mutation: '>= in: milliseconds > options.milliseconds',
    why: 'no two times are the same to the last bit',
  },
  {
    file: `${server}/features/password/hashing-cost.ts`,
    line: 'while (tooSlow - fitting > fitting / 16) {',
    mutation: '>= in: tooSlow - fitting > fitting / 16',
    why: 'it ends where it is near enough',
  },
  {
    file: `${server}/features/password/hashing-cost.ts`,
    line: 'const next = tooSlow > most ? Math.min(Math.max(guess, fitting + 1), most) : (fitting + tooSlow) >>> 1',
    mutation: '>= in: tooSlow > most',
    why: 'then it comes there in other steps',
  },
  {
    file: `${server}/features/password-policy/policy.ts`,
    line: 'return short && lengthOf(rest) < minLength',
    mutation: 'dropped: short',
    why: 'what is too short as it is was refused before',
  },
  {
    file: `${server}/features/login/password.ts`,
    line: 'passwordMark: hash && passwordMark(hash),',
    mutation: 'dropped: hash',
    why: forTheCompiler,
  },
  {
    file: `${server}/features/limits/limits.ts`,
    line: "if (device && typeof ofDevice === 'object' && (await isOwn(device))) return ofDevice",
    mutation: 'dropped: device',
    why: forTheCompiler,
  },
  {
    file: `${server}/features/limits/limits.ts`,
    line: 'if (uses.length > 0) await count(uses)',
    why: 'to count nothing writes nothing; it is spared',
  },
  {
    file: `${server}/features/limits/limits.ts`,
    line: 'const uncounted: Counted = { spent: { uses: [], at: 0 }, giveBack: async () => {} }',
    why: 'nothing was used at that time',
  },
  {
    file: `${server}/features/limits/store.ts`,
    line: 'return uses.toSorted((a, b) => (a.key < b.key ? -1 : 1))',
    why: 'those who count the same limits have them in one order as it is: name, address, device',
  },
  {
    file: `${server}/features/limits/store.ts`,
    line: 'const maxPurgedAtOnce = 500',
    why: 'in how many steps is seen by nobody',
  },
  ...['65_536 becomes 65535', '65_536 becomes 65537'].map((mutation) => ({
    file: `${server}/listener/slow-readers.ts`,
    line: 'const pieceBytes = 65_536',
    mutation,
    why: 'how large is a matter of taste',
  })),
  ...['1_000 becomes 999', '1_000 becomes 1001'].map((mutation) => ({
    file: `${server}/listener/slow-readers.ts`,
    line: 'const fairMilliseconds = 1_000',
    mutation,
    why: 'how long is a matter of taste',
  })),
  {
    file: `${server}/listener/slow-readers.ts`,
    line: 'if (!longest || large.size < largeAnswers) return true',
    mutation: 'dropped: !longest',
    why: forTheCompiler,
  },
  {
    file: `${server}/listener/slow-readers.ts`,
    line: 'if (performance.now() - since < fairMilliseconds) return false',
    mutation: '<= in: performance.now() - since < fairMilliseconds',
    why: 'a moment more or less',
  },
  {
    file: `${server}/listener/slow-readers.ts`,
    line: 'return (body?.length ?? 0) > largeBytes',
    mutation: '>= in: (body?.length ?? 0) > largeBytes',
    why: 'how large is a matter of taste',
  },
  {
    file: `${server}/listener/slow-readers.ts`,
    line: 'if (response.destroyed) return',
    why: 'what is written to a connection that is gone is thrown away; it is spared',
  },
  {
    file: `${server}/listener/slow-readers.ts`,
    line: 'if (written < bytes.length) response.write(piece, () => setImmediate(writeNext))',
    mutation: '<= in: written < bytes.length',
    why: 'then the last piece is empty',
  },
  {
    file: `${server}/configuration/database-rules.ts`,
    line: 'if (database === undefined || !isPostgresUrl(database) || !URL.canParse(database)) return []',
    mutation: 'dropped: database === undefined',
    why: forTheCompiler,
  },
  {
    file: `${server}/configuration/proxy-rules.ts`,
    line: 'return false // it is no network, which is a matter of shape',
    why: 'an empty list has no addresses in it',
  },
  {
    file: `${server}/http/proxies.ts`,
    line: 'const isTrusted = (address: string): boolean => ranges.length > 0 && trusted.check(address, familyOf(address))',
    why: 'of no ranges none has it; that is only found faster',
  },
  {
    file: `${server}/http/proxies.ts`,
    line: 'const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16))',
    mutation: '0 becomes 1',
    why: forTheCompiler,
  },
  {
    file: `${server}/features/sessions/store.ts`,
    line: 'if (surplus.length === 0) return',
    why: 'ends none of none, which SQLite takes and PostgreSQL refuses: every login there would fail',
  },
  {
    file: `${server}/features/sessions/store.ts`,
    line: 'for (let from = 0; from < ids.length; from += maxValues) {',
    mutation: '<= in: from < ids.length',
    why: 'ends none of none, which SQLite takes; PostgreSQL refuses the empty list, as sessions.test.ts notices there',
  },
  {
    file: `${server}/features/sessions/store.ts`,
    line: 'const maxValues = 500',
    why: 'into how many statements the ends are split is seen by nobody',
  },
  {
    file: `${library}/openapi/sample-paths.ts`,
    line: 'const maxSamples = 1_000',
    why: 'a bound, of which only whole roots count',
  },
  {
    file: `${library}/testing/test-issuer.ts`,
    line: 'let offset = 0',
    why: 'a millisecond',
  },
  {
    file: `${server}/features/browser-session/cookie-session.ts`,
    line: "if (!(error instanceof OAuthError) || error.code !== 'invalid_grant') throw error",
    mutation: 'dropped: !(error instanceof OAuthError)',
    why: forTheCompiler,
  },
]
