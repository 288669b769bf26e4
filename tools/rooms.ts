// The plan of packages/*/src, as data. check-rooms.ts explains the rules and checks them.

/** A folder with one subject. */
export interface Room {
  /**
   * The folder of the room, below src/. The files in its subfolders belong to the room too, except
   * if a subfolder is a room itself.
   */
  readonly name: string
  readonly for: string
  /**
   * The rooms that this room imports. They must be listed above this room. `'*'` means all rooms
   * that are listed above it.
   */
  readonly from: readonly string[]
  /**
   * The packages that this room imports. `(computed)` allows an import() of a path that is known
   * only at run time.
   */
  readonly packages?: readonly string[]
  /** Maps the path of a file inside the room to more packages, which only this file may import. */
  readonly packagesOf?: Readonly<Record<string, readonly string[]>>
  /**
   * Packages that this room must not load at run time, itself or through other files. `'node:'`
   * means all modules of Node.
   */
  readonly neverLoads?: readonly string[]
}

/** A file of src/ that outsiders import. It only re-exports what rooms export. */
export interface Door {
  readonly file: string
  readonly for: string
  readonly neverLoads?: readonly string[]
}

export interface Package {
  /** Its folder in the repository. */
  readonly folder: string
  /**
   * The name of the package on npm. Other packages import this name followed by the name of a door.
   * For the door `index.ts`, they import only the name.
   */
  readonly name: string
  readonly doors: readonly Door[]
  /** The rooms from bottom to top: a room imports only rooms that are listed before it. */
  readonly rooms: readonly Room[]
}

export interface Plan {
  readonly packages: readonly Package[]
  /**
   * Maps a package to the files that may import it, as globs below src/. No other file may import
   * this package, even if the room of the file lists it.
   */
  readonly onlyIn: Readonly<Record<string, readonly string[]>>
  /**
   * Maps private files to the files in other folders that may import them. Files in the folder of a
   * private file may import it too. All these paths are globs below src/. Tests may import all
   * files.
   */
  readonly privateFiles: Readonly<Record<string, readonly string[]>>
  /** Files that other files load only by `import(…)`, when they are needed: globs below src/. */
  readonly deferred: readonly string[]
  /** Maps each file that is longer than the limit to the reason why it must not be split. */
  readonly longFiles: Readonly<Record<string, string>>
}

const keystile: Package = {
  folder: 'packages/keystile',
  name: 'keystile',
  doors: [
    {
      file: 'index.ts',
      for: 'the verifier: what an API that only checks tokens needs',
      neverLoads: ['hono'],
    },
    { file: 'jwt.ts', for: 'sign, verify and decode any JWT', neverLoads: ['hono', 'node:http'] },
    { file: 'hono.ts', for: 'guards in Hono' },
    { file: 'fastify.ts', for: 'guards in Fastify' },
    { file: 'express.ts', for: 'guards in Express 4 and 5', neverLoads: ['express'] },
    {
      file: 'nest.ts',
      for: 'guards in NestJS, on Express and on Fastify',
      neverLoads: ['fastify'],
    },
    { file: 'node.ts', for: 'guards in node:http' },
    { file: 'web.ts', for: 'guards of handlers over a web Request', neverLoads: ['node:http'] },
    {
      file: 'openapi.ts',
      for: 'OpenAPI documents that say what the guards enforce',
      neverLoads: ['hono', 'fastify', 'node:http'],
    },
    {
      file: 'client.ts',
      for: 'logins, and a fetch that adds the token, in browsers and Node',
      neverLoads: ['node:', 'hono', 'fastify', 'express'],
    },
    {
      file: 'testing.ts',
      for: 'an issuer for tests of guarded routes, and mailboxes',
      neverLoads: ['hono', 'fastify', 'node:http'],
    },
    { file: 'internal.ts', for: '@keystile/server alone; not part of the public API' },
    { file: 'internal-node.ts', for: 'the part of internal.ts that needs the types of Node' },
  ],
  rooms: [
    {
      name: 'base',
      for: 'clock, bytes, random values, errors and the log: nothing about tokens',
      from: [],
      packagesOf: { 'random.ts': ['node:crypto'] },
    },
    { name: 'http', for: 'HTTP requests, headers and answers, parsed and written', from: ['base'] },
    {
      name: 'keys',
      for: 'algorithms, keys, JWK Sets and where they are fetched',
      from: ['base', 'http'],
      packages: ['node:crypto'],
    },
    { name: 'token', for: 'JWS, claims, scopes, access tokens', from: ['base', 'keys'] },
    {
      name: 'guard',
      for: 'finds the credential, proves the identity, and decides about the request',
      from: ['base', 'http', 'keys', 'token'],
    },
    {
      name: 'frameworks',
      for: 'one folder per web framework: its guard, and how its routes are read; decides nothing',
      from: ['base', 'http', 'guard'],
      packages: [
        'hono',
        'fastify',
        '@nestjs/common',
        '@nestjs/core',
        '@nestjs/websockets',
        'node:http',
        'node:stream',
      ],
    },
    {
      name: 'openapi',
      for: 'reads the guards of an app from its routes, and writes them into its OpenAPI document',
      from: ['base', 'http', 'guard', 'frameworks'],
      packages: ['@nestjs/common'],
    },
    {
      name: 'client',
      for: 'stores, refreshes and sends a user’s session; imports no other room: it runs in browsers',
      from: [],
      neverLoads: ['node:'],
    },
    {
      name: 'testing',
      for: 'an issuer, mailboxes and an authenticator app for tests',
      from: ['base', 'keys', 'token', 'guard'],
      packagesOf: { 'authenticator-app.ts': ['node:crypto'] },
    },
    {
      name: 'cli',
      for: 'the command keystile: checks a token, and leaves the rest to @keystile/server',
      from: ['base', 'keys', 'token', 'guard'],
      packages: ['node:fs', 'node:module', 'node:stream', 'node:url', 'node:util', '(computed)'],
    },
  ],
}

const server: Package = {
  folder: 'packages/server',
  name: '@keystile/server',
  doors: [
    { file: 'index.ts', for: 'createKeystile, and the types around it' },
    {
      file: 'docs.ts',
      for: 'Swagger UI for the document of an app',
      neverLoads: ['kysely', 'pg', 'zod'],
    },
  ],
  rooms: [
    {
      name: 'base',
      for: 'configuration errors, arguments for threads, IP networks, sealing of stored secrets',
      from: [],
      packagesOf: {
        'version.ts': ['node:fs'],
        'seal.ts': ['node:crypto'],
        'secret.ts': ['node:crypto'],
        'this-machine.ts': ['node:net'],
      },
    },
    {
      name: 'storage',
      for: 'opens, migrates, reads and writes databases, alike on SQLite and PostgreSQL',
      from: ['base'],
      packages: [
        'kysely',
        'pg',
        'node:sqlite',
        'node:timers',
        'node:worker_threads',
        'node:fs',
        'node:path',
        'node:os',
      ],
      packagesOf: { 'postgres-cancel.ts': ['node:net'] },
    },
    {
      name: 'feature',
      for: 'the shapes of a feature and its parts, and how messages name settings',
      from: ['base', 'storage'],
      packages: ['keystile', 'zod'],
    },
    {
      name: 'http',
      for: 'routes, the router, forms, JSON bodies, refusals, CORS and proxies',
      from: ['base', 'storage', 'feature'],
      packages: ['keystile', 'zod'],
      packagesOf: { 'address.ts': ['node:net'], 'proxies.ts': ['node:net'] },
    },
    {
      name: 'pages',
      for: 'HTML without holes, and the layout of all pages',
      from: [],
      packages: ['keystile'],
      packagesOf: { 'brand.ts': ['node:crypto', 'node:fs'] },
    },
    {
      name: 'features/tokens/events',
      for: 'the feed of revocations: numbers them after their commit, and every process follows it',
      from: ['storage', 'feature'],
      packages: ['keystile', 'kysely', 'node:timers'],
    },
    {
      name: 'features/operations/audit',
      for: 'the audit record: written with each change, listed and followed',
      from: ['base', 'storage', 'feature', 'http'],
      packages: ['keystile', 'node:timers'],
    },
    {
      name: 'features/operations/lease',
      for: 'decides which of several processes runs the background jobs',
      from: ['storage'],
      packages: ['keystile', 'kysely'],
    },
    {
      name: 'features/operations/queue',
      for: 'rows that wait in a table of a feature, and are delivered by the holder of a lease',
      from: ['base', 'storage', 'feature', 'features/operations/lease'],
      packages: ['keystile'],
    },
    {
      name: 'features/operations/app-events',
      for: 'tells the app, after the commit, what happened to users and sessions',
      from: [
        'storage',
        'feature',
        'features/operations/audit',
        'features/operations/lease',
        'features/operations/queue',
      ],
      packages: ['keystile', 'kysely', 'zod'],
    },
    {
      name: 'features/operations/metrics',
      for: 'counters and gauges in the text format of Prometheus',
      from: ['feature'],
      packages: ['node:perf_hooks'],
    },
    {
      name: 'features/sign-in/known-devices',
      for: 'the secrets by which a login recognises a device',
      from: ['base', 'storage', 'http'],
      packages: ['keystile', 'node:crypto'],
    },
    {
      name: 'features/operations/limits',
      for: 'rate limits, counted in the database',
      from: ['base', 'storage', 'feature'],
      packages: ['keystile', 'kysely', 'node:crypto'],
    },
    {
      name: 'features/mail/outbox',
      for: 'mails: stored with the change that causes them, and sent later by one process',
      from: [
        'base',
        'storage',
        'feature',
        'features/operations/queue',
        'features/operations/limits',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/mail/proofs',
      for: 'links and codes in mails: stored, bound to a mailbox by one process, and spent once',
      from: [
        'base',
        'storage',
        'feature',
        'features/operations/lease',
        'features/operations/limits',
        'features/mail/outbox',
      ],
      packages: ['keystile'],
      packagesOf: { 'new-proof.ts': ['node:crypto'] },
    },
    {
      name: 'features/sign-in/attempts',
      for: 'logins that wait for their next step',
      from: [
        'base',
        'storage',
        'feature',
        'features/operations/audit',
        'features/operations/limits',
        'features/mail/outbox',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/users/scopes',
      for: 'scopes and roles, and which of them a user holds',
      from: ['storage', 'feature'],
      packages: ['zod', 'keystile'],
    },
    {
      name: 'features/tokens/sessions',
      for: 'sessions: one row per login, the tokens issued under it, refresh and end',
      from: [
        'base',
        'storage',
        'http',
        'feature',
        'features/sign-in/attempts',
        'features/tokens/events',
        'features/operations/audit',
        'features/operations/app-events',
        'features/operations/limits',
        'features/mail/outbox',
        'features/users/scopes',
      ],
      packages: ['keystile', 'kysely'],
    },
    {
      name: 'features/sign-in/browser-login',
      for: 'logins of browsers at the pages: their cookies, and the sessions that these name',
      from: ['base', 'storage', 'http', 'feature', 'features/tokens/sessions'],
      packages: ['keystile', 'node:crypto'],
    },
    {
      name: 'features/credentials/password',
      for: 'password hashes, computed on threads of their own: argon2id, and imported ones',
      from: ['feature', 'base'],
      packages: ['zod', 'keystile', 'node:worker_threads', 'node:events', 'node:os', 'node:crypto'],
      packagesOf: {
        'argon2-derive.ts': ['@node-rs/argon2', 'node:module'],
        'bcrypt.ts': ['@node-rs/bcrypt'],
      },
    },
    {
      name: 'features/credentials/password-policy',
      for: 'the rules for new passwords',
      from: ['feature', 'features/credentials/password'],
      packages: ['node:fs', 'node:url'],
    },
    {
      name: 'features/credentials/second-factors',
      for: 'authenticator apps and recovery codes, and the list of all second factors',
      from: ['base', 'storage', 'feature'],
      packages: ['keystile', 'node:crypto', 'uqr'],
    },
    {
      name: 'features/users/directory',
      for: 'the interface to users, own or of the app, and the names they log in with',
      from: [
        'feature',
        'storage',
        'features/tokens/events',
        'features/operations/audit',
        'features/operations/limits',
        'features/users/scopes',
        'features/credentials/password',
        'features/credentials/second-factors',
      ],
      packages: ['zod', 'keystile', 'node:url'],
    },
    {
      name: 'features/mail/messages',
      for: 'the settings of mail, its transports, and the texts of mails and pages',
      from: [
        'base',
        'feature',
        'http',
        'pages',
        'features/mail/outbox',
        'features/credentials/password-policy',
        'features/users/directory',
      ],
      packages: ['zod', 'keystile'],
      packagesOf: { 'smtp.ts': ['nodemailer'], 'dkim.ts': ['node:crypto'] },
    },
    {
      name: 'features/users/accounts',
      for: "Keystile's own accounts: registration, changes by their owner, and administration",
      from: [
        'base',
        'feature',
        'storage',
        'http',
        'features/credentials/second-factors',
        'features/tokens/events',
        'features/operations/audit',
        'features/operations/app-events',
        'features/operations/limits',
        'features/mail/outbox',
        'features/mail/proofs',
        'features/mail/messages',
        'features/users/scopes',
        'features/tokens/sessions',
        'features/credentials/password',
        'features/credentials/password-policy',
        'features/users/directory',
      ],
      packages: ['keystile', 'kysely', 'zod', '@standard-schema/spec', 'node:util'],
      packagesOf: { 'cli-input.ts': ['node:fs'] },
    },
    {
      name: 'features/mail/flows',
      for: 'what all flows by mail share: a record each, requests, and confirmations',
      from: [
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/operations/limits',
        'features/mail/proofs',
        'features/mail/messages',
        'features/sign-in/known-devices',
        'features/users/directory',
        'features/users/accounts',
      ],
      packages: ['keystile', 'zod'],
    },
    {
      name: 'features/mail/pending-registration',
      for: 'registrations that become accounts when their mail was answered',
      from: [
        'base',
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/mail/outbox',
        'features/mail/flows',
        'features/mail/proofs',
        'features/users/directory',
        'features/users/accounts',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/mail/email-verification',
      for: 'proves that users read the mails to their address',
      from: [
        'base',
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/operations/limits',
        'features/mail/flows',
        'features/mail/proofs',
        'features/users/directory',
        'features/users/accounts',
        'features/mail/pending-registration',
      ],
      packages: ['keystile', 'zod'],
    },
    {
      name: 'features/tokens/signing-keys',
      for: 'signing keys: sealed at rest, published, rotated and revoked',
      from: [
        'feature',
        'base',
        'storage',
        'features/tokens/events',
        'features/operations/audit',
        'features/operations/lease',
      ],
      packages: [
        'zod',
        'keystile',
        'node:crypto',
        'node:fs',
        'node:path',
        'node:timers',
        'node:util',
      ],
    },
    {
      name: 'features/mail/factor-undo',
      for: 'removes the first second factor of an account, by the link in the mail about it',
      from: [
        'storage',
        'feature',
        'features/operations/audit',
        'features/mail/outbox',
        'features/credentials/second-factors',
        'features/tokens/sessions',
        'features/mail/flows',
        'features/mail/proofs',
        'features/mail/messages',
        'features/credentials/password',
        'features/users/accounts',
      ],
    },
    {
      name: 'features/mail/password-reset',
      for: 'new passwords for users who have forgotten theirs, by a link or a code in a mail',
      from: [
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/operations/limits',
        'features/mail/outbox',
        'features/credentials/second-factors',
        'features/tokens/events',
        'features/tokens/sessions',
        'features/mail/flows',
        'features/mail/proofs',
        'features/mail/factor-undo',
        'features/credentials/password',
        'features/credentials/password-policy',
        'features/users/directory',
        'features/users/accounts',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/mail/email-change',
      for: 'a new address, confirmed by a mail, and the link that restores the old one',
      from: [
        'features/tokens/sessions',
        'base',
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/operations/limits',
        'features/mail/outbox',
        'features/credentials/second-factors',
        'features/mail/flows',
        'features/mail/proofs',
        'features/mail/messages',
        'features/credentials/password',
        'features/users/directory',
        'features/users/accounts',
        'features/mail/factor-undo',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/mail/invitations',
      for: 'accounts for people whom an operator or the app invites by a mail',
      from: [
        'base',
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/mail/outbox',
        'features/mail/flows',
        'features/mail/proofs',
        'features/mail/messages',
        'features/users/scopes',
        'features/credentials/password-policy',
        'features/users/directory',
        'features/users/accounts',
        'features/tokens/signing-keys',
      ],
      packages: ['keystile', 'zod'],
    },
    {
      name: 'features/pages/brand',
      for: 'the settings for the look of pages and mails, and the logo',
      from: ['feature', 'pages', 'features/mail/messages'],
      packages: ['zod', 'keystile'],
      packagesOf: { 'files.ts': ['node:fs'], 'logo.ts': ['node:crypto'] },
    },
    {
      name: 'features/pages/account-pages',
      for: 'pages for the links in mails, without scripts',
      from: [
        'http',
        'pages',
        'features/operations/audit',
        'features/users/accounts',
        'features/users/directory',
        'features/mail/email-verification',
        'features/mail/messages',
        'features/mail/proofs',
        'features/credentials/password-policy',
        'features/mail/password-reset',
        'features/mail/email-change',
        'features/sign-in/browser-login',
        'features/mail/factor-undo',
        'features/mail/invitations',
        'features/sign-in/known-devices',
        'features/pages/brand',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/pages/start-page',
      for: 'the page at the root of the stand-alone server, and the page for unknown paths',
      from: ['base', 'pages', 'features/pages/account-pages', 'features/pages/brand'],
      packages: ['keystile'],
    },
    {
      name: 'features/tokens/clients',
      for: 'OAuth clients and their authentication',
      from: [
        'base',
        'storage',
        'http',
        'feature',
        'features/tokens/events',
        'features/operations/audit',
        'features/operations/limits',
        'features/users/scopes',
        'features/tokens/sessions',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/operations/backup',
      for: 'copies SQLite files, checks and restores the copies, and makes a restored database safe',
      from: [
        'base',
        'storage',
        'feature',
        'features/tokens/events',
        'features/operations/audit',
        'features/credentials/second-factors',
        'features/tokens/sessions',
        'features/users/accounts',
        'features/tokens/signing-keys',
      ],
      packages: ['keystile', 'node:fs'],
    },
    {
      name: 'features/operations/housekeeping',
      for: 'deletes expired rows in small steps, as the features declare them',
      from: ['storage', 'feature', 'features/operations/audit', 'features/operations/lease'],
      packages: ['keystile'],
    },
    {
      name: 'features/sign-in/login',
      for: 'proves who a person is, and checks the account again when the session starts',
      from: [
        'base',
        'storage',
        'feature',
        'features/sign-in/attempts',
        'features/credentials/second-factors',
        'features/operations/audit',
        'features/sign-in/known-devices',
        'features/operations/limits',
        'features/mail/outbox',
        'features/mail/proofs',
        'features/mail/factor-undo',
        'features/mail/messages',
        'features/mail/email-verification',
        'features/users/scopes',
        'features/tokens/events',
        'features/sign-in/browser-login',
        'features/tokens/sessions',
        'features/tokens/clients',
        'features/credentials/password',
        'features/users/directory',
        'features/users/accounts',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/sign-in/factors',
      for: 'sets up and removes second factors: endpoints, commands and settings',
      from: [
        'base',
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/operations/limits',
        'features/mail/outbox',
        'features/mail/proofs',
        'features/mail/factor-undo',
        'features/mail/messages',
        'features/credentials/second-factors',
        'features/sign-in/attempts',
        'features/tokens/events',
        'features/tokens/sessions',
        'features/users/scopes',
        'features/users/directory',
        'features/users/accounts',
      ],
      packages: ['keystile', 'zod'],
    },
    {
      name: 'features/tokens/oauth',
      for: 'the token endpoint and its grants, revocation, introspection and metadata',
      from: [
        'storage',
        'http',
        'feature',
        'features/operations/audit',
        'features/operations/limits',
        'features/users/scopes',
        'features/tokens/sessions',
        'features/users/directory',
        'features/tokens/clients',
        'features/sign-in/login',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/pages/login-pages',
      for: 'the pages on which browsers register, log in and out, without scripts',
      from: [
        'base',
        'http',
        'feature',
        'pages',
        'features/operations/audit',
        'features/credentials/second-factors',
        'features/sign-in/known-devices',
        'features/sign-in/browser-login',
        'features/sign-in/login',
        'features/tokens/clients',
        'features/tokens/sessions',
        'features/tokens/oauth',
        'features/users/accounts',
        'features/users/directory',
        'features/mail/email-verification',
        'features/pages/account-pages',
        'features/pages/brand',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/pages/account-home',
      for: 'the page on which people see and change their account, in a browser that is logged in',
      from: [
        'base',
        'http',
        'pages',
        'features/credentials/second-factors',
        'features/sign-in/browser-login',
        'features/mail/messages',
        'features/mail/proofs',
        'features/tokens/clients',
        'features/tokens/sessions',
        'features/users/accounts',
        'features/users/directory',
        'features/pages/account-pages',
        'features/pages/login-pages',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/sign-in/authorize-challenge',
      for: 'POST /authorize-challenge: a login of a first-party app that gives a code',
      from: [
        'feature',
        'http',
        'features/operations/audit',
        'features/operations/limits',
        'features/tokens/clients',
        'features/tokens/oauth',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/sign-in/browser-session',
      for: 'sessions of browsers with the refresh token in a cookie',
      from: [
        'base',
        'feature',
        'http',
        'features/sign-in/known-devices',
        'features/tokens/sessions',
        'features/tokens/clients',
        'features/tokens/oauth',
      ],
      packages: ['keystile'],
    },
    {
      name: 'features/tokens/revocation-feed',
      for: 'GET /revocations: sends the feed of revocations to verifiers in other processes',
      from: [
        'http',
        'feature',
        'features/tokens/events',
        'features/operations/audit',
        'features/operations/limits',
        'features/tokens/clients',
      ],
      packages: ['keystile', 'node:timers'],
    },
    {
      name: 'features/pages/docs',
      for: 'the OpenAPI document, made from the routes, and Swagger UI',
      from: ['base', 'http', 'feature', 'pages'],
      packages: ['keystile', 'node:fs'],
    },
    {
      name: 'configuration',
      for: 'checks options and safety rules, and inspects the machine',
      from: ['*'],
      packages: ['keystile', 'zod', 'node:fs', 'node:net', 'node:path'],
    },
    {
      name: 'listener',
      for: 'the stand-alone HTTP server, and its limits on clients',
      from: [
        'base',
        'feature',
        'http',
        'features/operations/metrics',
        'features/pages/account-pages',
        'features/pages/brand',
        'features/pages/start-page',
      ],
      packages: ['zod', 'keystile', 'node:http', 'node:net', 'node:events'],
    },
    {
      name: 'server',
      for: 'createKeystile, which wires all features',
      from: ['*'],
      packages: ['keystile'],
    },
    {
      name: 'cli',
      for: 'the command line: arguments, environment, terminal, files, exit codes',
      from: ['*'],
      packages: [
        'keystile',
        'pino',
        'node:fs',
        'node:readline',
        'node:stream',
        'node:util',
        'node:path',
        'node:url',
        '(computed)',
      ],
    },
  ],
}

export const plan: Plan = {
  packages: [keystile, server],
  onlyIn: { kysely: ['storage/**', '**/store.ts', '**/*-store.ts', '**/in-transaction.ts'] },
  privateFiles: {
    'features/*/*/{store,*-store,tables}.ts': ['server/commands.ts'],
    'features/*/*/{in-transaction,*-in-transaction}.ts': [
      'features/*/*/{store,*-store,in-transaction,*-in-transaction}.ts',
    ],
  },
  // The code of the command line. An embedded Keystile and the writer thread must not load it.
  deferred: ['features/*/*/cli.ts', 'features/*/*/cli-input.ts'],
  longFiles: {
    ...Object.fromEntries(
      ['de', 'en', 'es', 'fr'].map((language) => [
        `packages/server/src/features/mail/messages/texts/${language}.ts`,
        'one file has all texts of a language',
      ]),
    ),
    'packages/server/src/features/users/directory/equal-letters-table.ts': 'one form on each line',
  },
}
