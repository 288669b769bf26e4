// The options of the guards in verifier-….ts: a verifier with a key set and without revocations.
// With the argument "user", the options also have the app's own users, in a Map.
import { createVerifier, type GuardOptions } from 'keystile'
import { importJwkSet } from 'keystile/jwt'
import { audience, issuer, subjectOf } from '../tokens.ts'
import { variable } from './environment.ts'

interface User {
  readonly name: string
}

export function guardOptions(): GuardOptions<string, User | undefined> {
  const keys = importJwkSet(JSON.parse(variable('KEYS')))
  const verifier = createVerifier({ issuer, audience, keys, revocations: 'none' })
  if (process.argv[2] !== 'user') return { verifier }
  const users = new Map<string, User>()
  for (let n = 0; n < Number(variable('PEOPLE')); n++) users.set(subjectOf(n), { name: `user${n}` })
  return { verifier, user: ({ subject }) => users.get(subject) }
}
