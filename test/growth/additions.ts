// What is new in the copy of the source: the lines of existing files that change, how many of them
// may change, and the rooms of the new files in `probe/`.

/** A line that is added after an existing line, or an existing line that is changed. */
type Change =
  | readonly [after: string, added: string]
  | { readonly line: string; readonly becomes: string }

/** The changes of each existing file. */
export type Changes = Readonly<Record<string, readonly Change[]>>

export const server = 'packages/server/src'
const feature: Changes = {
  [`${server}/server/features.ts`]: [
    [
      `import * as password from '../features/credentials/password/feature.ts'`,
      `import * as probe from '../features/operations/probe/feature.ts'`,
    ],
    ['password.PasswordOptions,', 'probe.ProbeOptions,'],
    ['| typeof oauth.feature', '| typeof probe.feature'],
    ['password.feature,', 'probe.feature,'],
  ],
  [`${server}/server/wire/routes.ts`]: [
    [
      `import { sessionRoutes } from '../../features/tokens/sessions/routes.ts'`,
      `import { probeRoutes } from '../../features/operations/probe/routes.ts'`,
    ],
    [
      '...sessionRoutes(ends),',
      '...probeRoutes({ database: accounts.database, limits, meter, clock: options.clock }),',
    ],
  ],
  [`${server}/server/commands.ts`]: [
    [
      `import * as login from '../features/sign-in/login/store.ts'`,
      `import * as probe from '../features/operations/probe/store.ts'`,
    ],
    ['login,', 'probe,'],
  ],
  [`${server}/storage/migrations.ts`]: [
    [
      `import * as schemaMark from './migrations/0016-schema-mark.ts'`,
      `import * as probe from './migrations/9000-probe.ts'`,
    ],
    [`'0016-schema-mark': contracts(schemaMark, 16),`, `'9000-probe': expands(probe),`],
  ],
}

const clientGrant: Changes = {
  [`${server}/features/tokens/oauth/grants.ts`]: [
    [
      `import { passwordGrant, type PasswordGrantParts } from './grants/password.ts'`,
      `import { probeGrant } from './grants/probe.ts'`,
    ],
    ['clientCredentialsGrant,', 'probeGrant,'],
  ],
}

const scheme: Changes = {
  'packages/keystile/src/guard/schemes.ts': [
    [`import { bearer } from './schemes/bearer.ts'`, `import { probe } from './schemes/probe.ts'`],
    {
      line: 'const schemes: readonly CredentialScheme[] = [bearer]',
      becomes: 'const schemes: readonly CredentialScheme[] = [bearer, probe]',
    },
  ],
}

const login = `${server}/features/sign-in/login`
const method: Changes = {
  [`${login}/methods.ts`]: [
    [
      `import { passwordMethod } from './methods/password.ts'`,
      `import { pinMethod } from './methods/pin.ts'`,
    ],
    {
      line: 'export const methods: readonly Method[] = [passwordMethod, otpMethod, recoveryCodeMethod]',
      becomes:
        'export const methods: readonly Method[] = ' +
        '[passwordMethod, otpMethod, recoveryCodeMethod, pinMethod]',
    },
  ],
  [`${server}/features/credentials/second-factors/factors-in-transaction.ts`]: [
    [
      `import { appFactor } from './app-in-transaction.ts'`,
      `import { pinFactor } from '../pin/in-transaction.ts'`,
    ],
    {
      line: `export type FactorName = 'otp'`,
      becomes: `export type FactorName = 'otp' | 'pin'`,
    },
    ['otp: appFactor,', 'pin: pinFactor,'],
  ],
}

const factorTable: Changes = {
  [`${server}/storage/migrations.ts`]: [
    [
      `import * as authorizationCodes from './migrations/0020-authorization-codes.ts'`,
      `import * as pins from './migrations/9002-pins.ts'`,
    ],
    [
      `'0020-authorization-codes': expands(authorizationCodes),`,
      `'9002-pins': contracts(pins, 9002),`,
    ],
  ],
}

const front: Changes = {
  [`${server}/server/wire/routes.ts`]: [
    [
      `import { sessionRoutes } from '../../features/tokens/sessions/routes.ts'`,
      `import { probeLoginRoute } from '../../features/sign-in/probe-login/routes.ts'`,
    ],
    ['...sessionRoutes(ends),', 'probeLoginRoute(granting),'],
  ],
}

const loginGrant: Changes = {
  [`${server}/features/tokens/oauth/grants.ts`]: [
    [
      `import { passwordGrant, type PasswordGrantParts } from './grants/password.ts'`,
      `import { probeLoginGrant } from './grants/probe-login.ts'`,
    ],
    ['clientCredentialsGrant,', 'probeLoginGrant,'],
  ],
  [`${server}/features/tokens/clients/clients.ts`]: [
    {
      line: `grants: ['password', 'authorization_code', 'refresh_token'],`,
      becomes:
        "grants: ['password', 'authorization_code', 'refresh_token', 'urn:example:probe-login'],",
    },
  ],
}

const userData: Changes = {
  [`${server}/server/wire/routes.ts`]: [
    [
      `import { sessionRoutes } from '../../features/tokens/sessions/routes.ts'`,
      `import { noteRoutes } from '../../features/users/notes/routes.ts'`,
    ],
    ['...sessionRoutes(ends),', '...noteRoutes(accounts.database),'],
  ],
  [`${server}/server/commands.ts`]: [
    [
      `import * as accounts from '../features/users/accounts/store.ts'`,
      `import * as notes from '../features/users/notes/store.ts'`,
    ],
    ['accounts,', 'notes,'],
  ],
  [`${server}/storage/migrations.ts`]: [
    [
      `import * as secondFactors from './migrations/0019-second-factors.ts'`,
      `import * as notes from './migrations/9001-notes.ts'`,
    ],
    [`'0019-second-factors': contracts(secondFactors, 19),`, `'9001-notes': expands(notes),`],
  ],
}

/** Everything that is new, and how many existing files and lines of them it may change. */
export const additions = {
  'a feature': { changes: feature, files: 4, lines: 10 },
  'a grant for clients that act for themselves': { changes: clientGrant, files: 1, lines: 2 },
  'a credential scheme': { changes: scheme, files: 1, lines: 2 },
  'a login method with a second step': { changes: method, files: 2, lines: 5 },
  'the table of a second factor': { changes: factorTable, files: 1, lines: 2 },
  'a front': { changes: front, files: 3, lines: 6 },
  'a grant that logs in': { changes: loginGrant, files: 2, lines: 6 },
  'a table of user data': { changes: userData, files: 4, lines: 10 },
} as const

/**
 * The rooms of the new files, each before the room that it is listed before. `importer` is an
 * existing room that imports the new one. The plan of rooms is not counted as changed source,
 * because it only says what the sources may import.
 */
export const rooms = [
  {
    name: 'features/credentials/pin',
    from: ['storage', 'feature'],
    packages: [],
    before: 'features/credentials/second-factors',
    importer: 'features/credentials/second-factors',
  },
  {
    name: 'features/operations/probe',
    from: ['storage', 'http', 'feature', 'features/operations/audit', 'features/operations/limits'],
    packages: ['keystile'],
    before: 'features/users/scopes',
  },
  {
    name: 'features/users/notes',
    from: ['storage', 'http', 'feature', 'features/users/accounts'],
    packages: ['keystile', 'zod'],
    before: 'features/mail/flows',
  },
  {
    name: 'features/sign-in/probe-login',
    from: [
      'feature',
      'http',
      'features/operations/audit',
      'features/tokens/clients',
      'features/tokens/oauth',
    ],
    packages: [],
    before: 'features/sign-in/browser-session',
  },
]
