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
const flow = (name: string): readonly string[] => [`test/flows/${name}.test.ts`]

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
    tests: [['hono', 'node'].map((name) => `${library}/adapters/${name}.test.ts`)],
  },
  'keystile/http': {
    folder: `${library}/http`,
    tests: [['guard', 'credential'].map((name) => `${library}/guard/${name}.test.ts`)],
  },
  'keystile/adapters': { folder: `${library}/adapters`, tests: [] },
}

export const explained: readonly Explanation[] = []
