// The table of cases: a request to a guarded route, and its answer in every framework.
import { issuer, type Scope, type Stage } from './app.ts'
import type { Sent } from './client.ts'

export interface Case {
  readonly name: string
  /** Returns what the case sends. Called once for each app. */
  readonly send: (stage: Stage) => Sent
  readonly expected: Refused | Admitted
  /** Whether the case needs an app with `user`. */
  readonly needsUser?: true
}

export interface Refused {
  readonly status: 400 | 401 | 403
  readonly title: string
  readonly detail: string
  /** `undefined` for a refusal that no other credential would change. */
  readonly challenge: string | undefined
  /** The member `code` of the body, if it has one. */
  readonly code?: string
}

export interface Admitted {
  readonly status: 200
  readonly route: string
  /** The subject of the caller, or `null` for a request without credentials. */
  readonly subject: string | null
}

const titles = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden' } as const

function refused(status: 400 | 401 | 403, detail: string, error?: string, more = ''): Refused {
  const told =
    error && `, error="${error}", error_description="${detail.replaceAll('"', '')}"${more}`
  return {
    status,
    title: titles[status],
    detail,
    challenge: `Bearer realm="${issuer}"${told ?? ''}`,
  }
}

const notAuthenticated = refused(401, 'Not authenticated')
const invalidToken = refused(401, 'Invalid token', 'invalid_token')
export const expired: Refused = refused(401, 'Token has expired', 'invalid_token')
const invalidRequest = refused(
  400,
  'The Authorization header must be Bearer and one token',
  'invalid_request',
)
const tooOld = refused(
  401,
  'A more recent login is needed',
  'insufficient_user_authentication',
  ', max_age="300"',
)
const tooWeak = (more = ''): Refused =>
  refused(
    401,
    'A stronger login is needed',
    'insufficient_user_authentication',
    `, acr_values="mfa"${more}`,
  )
const lacks = (...scopes: readonly Scope[]): Refused =>
  refused(
    403,
    'The token lacks a required scope',
    'insufficient_scope',
    `, scope="${scopes.join(' ')}"`,
  )
const notVerified: Refused = {
  status: 403,
  title: 'Forbidden',
  detail: 'A verified e-mail address is needed',
  challenge: undefined,
  code: 'email_not_verified',
}
const admitted = (route: string, subject: string | null = 'alice'): Admitted => ({
  status: 200,
  route,
  subject,
})

const reader = (stage: Stage): string => stage.bearer({ scopes: ['items:read'] })

/** Makes a request to a path with these values of `Authorization`, each in its own field. */
const to =
  (path: string, ...values: readonly (string | ((stage: Stage) => string))[]): Case['send'] =>
  (stage) => ({
    path,
    headers: values.flatMap((value) => [
      'Authorization',
      typeof value === 'string' ? value : value(stage),
    ]),
  })

const methods = ['HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']

export const cases: readonly Case[] = [
  // Credentials.
  { name: 'a request without credentials', send: to('/items'), expected: notAuthenticated },
  {
    name: 'a request with another scheme',
    send: to('/items', 'Basic eDp5'),
    expected: notAuthenticated,
  },
  {
    name: 'a scheme that only begins with Bearer',
    send: to('/items', 'Bearerx abc'),
    expected: notAuthenticated,
  },
  { name: 'an empty Authorization header', send: to('/items', ''), expected: notAuthenticated },
  { name: 'Bearer without a token', send: to('/items', 'Bearer'), expected: invalidRequest },
  { name: 'Bearer and a space', send: to('/items', 'Bearer '), expected: invalidRequest },
  { name: 'Bearer and two words', send: to('/items', 'Bearer abc def'), expected: invalidRequest },
  {
    name: 'characters outside token68',
    send: to('/items', 'Bearer a"b'),
    expected: invalidRequest,
  },
  {
    name: 'bytes outside ASCII',
    send: to('/items', 'Bearer t\u00f6ken'),
    expected: invalidRequest,
  },
  {
    name: 'two tokens in one field',
    send: to('/items', (s) => `${reader(s)}, ${reader(s)}`),
    expected: invalidRequest,
  },
  {
    name: 'two Authorization headers',
    send: to('/items', reader, reader),
    expected: invalidRequest,
  },
  {
    name: 'a good token followed by Basic',
    send: to('/items', reader, 'Basic eDp5'),
    expected: invalidRequest,
  },
  {
    name: 'Basic followed by a good token',
    send: to('/items', 'Basic eDp5', reader),
    expected: invalidRequest,
  },
  {
    name: 'Authorization in lower case and again in upper case',
    send: (stage) => {
      const value = reader(stage)
      return { path: '/items', headers: ['authorization', value, 'AUTHORIZATION', value] }
    },
    expected: invalidRequest,
  },
  {
    name: 'bearer in lower case',
    send: to('/items', (s) => reader(s).replace('Bearer', 'bearer')),
    expected: admitted('items'),
  },
  {
    name: 'BEARER in upper case',
    send: to('/items', (s) => reader(s).replace('Bearer', 'BEARER')),
    expected: admitted('items'),
  },
  {
    name: 'the name of the header in lower case',
    send: (stage) => ({ path: '/items', headers: ['authorization', reader(stage)] }),
    expected: admitted('items'),
  },
  {
    name: 'a token in the query',
    send: (stage) => ({ path: `/items?access_token=${reader(stage).slice(7)}` }),
    expected: notAuthenticated,
  },
  {
    name: 'a token in a form',
    send: (stage) => ({
      method: 'POST',
      path: '/items',
      headers: ['content-type', 'application/x-www-form-urlencoded'],
      body: `access_token=${reader(stage).slice(7)}`,
    }),
    expected: notAuthenticated,
  },
  {
    name: 'a token in a cookie',
    send: (stage) => ({
      path: '/items',
      headers: ['cookie', `access_token=${reader(stage).slice(7)}; Authorization=${reader(stage)}`],
    }),
    expected: notAuthenticated,
  },
  // Tokens.
  {
    name: 'a credential that is not a JWT',
    send: to('/items', 'Bearer abc'),
    expected: invalidToken,
  },
  {
    name: 'a token for another audience',
    send: to('/items', (s) => s.bearer({ scopes: ['items:read'], audience: 'other' })),
    expected: invalidToken,
  },
  {
    name: 'an altered token',
    send: to('/items', (stage) => {
      const [header, payload, signature] = stage.bearer().split('.')
      const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object
      const altered = Buffer.from(JSON.stringify({ ...claims, scope: 'items:read' })).toString(
        'base64url',
      )
      return [header, altered, signature].join('.')
    }),
    expected: invalidToken,
  },
  // Scopes.
  { name: 'a token with the scope', send: to('/items', reader), expected: admitted('items') },
  {
    name: 'a token with the scope among others',
    send: to('/items', (s) => s.bearer({ scopes: ['items:write', 'items:read'] })),
    expected: admitted('items'),
  },
  {
    name: 'a token without scopes',
    send: to('/items', (s) => s.bearer()),
    expected: lacks('items:read'),
  },
  {
    name: 'a token with another scope',
    send: to('/items/new', reader),
    expected: lacks('items:write'),
  },
  {
    name: 'a token without scopes where none is needed',
    send: to('/me', (s) => s.bearer()),
    expected: admitted('me'),
  },
  {
    name: 'a token with one of several sets of scopes',
    send: to('/any', (s) => s.bearer({ scopes: ['items:write'] })),
    expected: admitted('any'),
  },
  {
    name: 'a token with the other of several sets of scopes',
    send: to('/any', (s) => s.bearer({ scopes: ['items:list', 'items:read'] })),
    expected: admitted('any'),
  },
  {
    name: 'a token with half of a set of scopes',
    send: to('/any', reader),
    expected: lacks('items:write'),
  },
  // A strong login.
  {
    name: 'a token with the demanded acr',
    send: to('/strong', (s) => s.bearer({ acr: 'mfa' })),
    expected: admitted('strong'),
  },
  {
    name: 'a token with another acr',
    send: to('/strong', (s) => s.bearer({ acr: 'pwd' })),
    expected: tooWeak(),
  },
  {
    name: 'a token without an acr',
    send: to('/strong', (s) => s.bearer()),
    expected: tooWeak(),
  },
  // A recent login.
  {
    name: 'a token of a recent login',
    send: to('/recent', (s) => s.bearer({ scopes: ['items:read'], ageSeconds: 299 })),
    expected: admitted('recent'),
  },
  {
    name: 'a token of an old login',
    send: to('/recent', (s) => s.bearer({ scopes: ['items:read'], ageSeconds: 400 })),
    expected: tooOld,
  },
  {
    name: 'a token of a recent login, without the scope',
    send: to('/recent', (s) => s.bearer()),
    expected: lacks('items:read'),
  },
  // Optional guards also admit requests without credentials.
  {
    name: 'a request without credentials behind an optional guard',
    send: to('/news'),
    expected: admitted('news', null),
  },
  {
    name: 'another scheme behind an optional guard',
    send: to('/news', 'Basic eDp5'),
    expected: admitted('news', null),
  },
  {
    name: 'a good token behind an optional guard',
    send: to('/news', (s) => s.bearer()),
    expected: admitted('news'),
  },
  {
    name: 'a bad token behind an optional guard',
    send: to('/news', 'Bearer abc'),
    expected: invalidToken,
  },
  {
    name: 'an empty token behind an optional guard',
    send: to('/news', 'Bearer'),
    expected: invalidRequest,
  },
  // Users.
  ...(['ghost', 'null'] as const).flatMap((subject): Case[] => [
    {
      name: `a token of ${subject}, whom user() does not find`,
      send: to('/me', (s) => s.bearer({ subject })),
      expected: invalidToken,
      needsUser: true,
    },
    {
      name: `a token of ${subject}, whom user() does not find, behind an optional guard`,
      send: to('/news', (s) => s.bearer({ subject })),
      expected: invalidToken,
      needsUser: true,
    },
  ]),
  // Verified e-mail addresses.
  {
    name: 'a user with a verified address',
    send: to('/verified', (s) => s.bearer()),
    expected: admitted('verified'),
  },
  ...['unverified', 'unverified-by-text', 'unverified-by-absence'].map((subject): Case => ({
    name: `a user without a verified address: ${subject}`,
    send: to('/verified', (s) => s.bearer({ subject })),
    expected: notVerified,
    needsUser: true,
  })),
  {
    name: 'a user without a verified address where none is needed',
    send: to('/me', (s) => s.bearer({ subject: 'unverified' })),
    expected: admitted('me', 'unverified'),
  },
  {
    name: 'no credentials where a verified address is needed',
    send: to('/verified'),
    expected: notAuthenticated,
  },
  {
    name: 'a token of ghost, whom user() does not find, where a verified address is needed',
    send: to('/verified', (s) => s.bearer({ subject: 'ghost' })),
    expected: invalidToken,
    needsUser: true,
  },
  {
    name: 'a verified address and one of several sets of scopes',
    send: to('/verified/any', (s) => s.bearer({ scopes: ['items:write'] })),
    expected: admitted('verified/any'),
  },
  {
    name: 'one of several sets of scopes, without a verified address',
    send: to('/verified/any', (s) => s.bearer({ subject: 'unverified', scopes: ['items:write'] })),
    expected: notVerified,
    needsUser: true,
  },
  {
    name: 'a verified address, without any of several sets of scopes',
    send: to('/verified/any', reader),
    expected: lacks('items:write'),
  },
  {
    name: 'no credentials where a verified address is needed, behind an optional guard',
    send: to('/verified/news'),
    expected: admitted('verified/news', null),
  },
  {
    name: 'a user with a verified address behind an optional guard',
    send: to('/verified/news', (s) => s.bearer()),
    expected: admitted('verified/news'),
  },
  {
    name: 'a user without a verified address behind an optional guard',
    send: to('/verified/news', (s) => s.bearer({ subject: 'unverified' })),
    expected: notVerified,
    needsUser: true,
  },
  // Methods.
  ...methods.flatMap((method): Case[] => [
    {
      name: `${method} without credentials`,
      send: () => ({ method, path: '/items' }),
      expected: notAuthenticated,
    },
    {
      name: `${method} with a good token`,
      send: (stage) => ({ method, path: '/items', headers: ['authorization', reader(stage)] }),
      expected: admitted('items'),
    },
  ]),
  {
    name: 'HEAD without credentials where only GET is handled',
    send: () => ({ method: 'HEAD', path: '/me' }),
    expected: notAuthenticated,
  },
  // Routers.
  {
    name: 'a request without credentials to a guarded router',
    send: to('/area/read'),
    expected: notAuthenticated,
  },
  {
    name: 'a token without the scope of a router',
    send: to('/area/read', (s) => s.bearer()),
    expected: lacks('items:read'),
  },
  {
    name: 'a token with the scope of a router',
    send: to('/area/read', reader),
    expected: admitted('area/read'),
  },
  {
    name: 'a token with the scope of the router, but not of the route',
    send: to('/area/write', reader),
    expected: lacks('items:read', 'items:write'),
  },
  {
    name: 'a token with the scope of the route, but not of the router',
    send: to('/area/write', (s) => s.bearer({ scopes: ['items:write'] })),
    expected: lacks('items:read'),
  },
  {
    name: 'a token with the scopes of router and route',
    send: to('/area/write', (s) => s.bearer({ scopes: ['items:write', 'items:read'] })),
    expected: admitted('area/write'),
  },
  {
    name: 'an old login where the route demands a recent one',
    send: to('/area/recent', (s) => s.bearer({ scopes: ['items:read'], ageSeconds: 400 })),
    expected: tooOld,
  },
  {
    name: 'a weak login where the route demands a strong and recent one',
    send: to('/area/strong', reader),
    expected: tooWeak(', max_age="300"'),
  },
  {
    name: 'a strong and recent login where the route demands one',
    send: to('/area/strong', (s) => s.bearer({ scopes: ['items:read'], acr: 'mfa' })),
    expected: admitted('area/strong'),
  },
  {
    name: 'a recent login where the route demands one',
    send: to('/area/recent', reader),
    expected: admitted('area/recent'),
  },
  {
    name: 'a user with a verified address where the route of a guarded router needs one',
    send: to('/area/verified', reader),
    expected: admitted('area/verified'),
  },
  {
    name: 'a user without a verified address where the route of a guarded router needs one',
    send: to('/area/verified', (s) => s.bearer({ subject: 'unverified', scopes: ['items:read'] })),
    expected: notVerified,
    needsUser: true,
  },
  {
    name: 'no credentials at an optional route of a guarded router',
    send: to('/area/news'),
    expected: notAuthenticated,
  },
  {
    name: 'a good token at an optional route of a guarded router',
    send: to('/area/news', reader),
    expected: admitted('area/news'),
  },
  {
    name: 'no credentials at a router with an optional guard',
    send: to('/lounge/anybody'),
    expected: admitted('lounge/anybody', null),
  },
  {
    name: 'no credentials at a guarded route of an optional router',
    send: to('/lounge/members'),
    expected: notAuthenticated,
  },
  {
    name: 'a good token at a router with an optional guard',
    send: to('/lounge/members', (s) => s.bearer()),
    expected: admitted('lounge/members'),
  },
]
