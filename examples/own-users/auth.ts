// Connects Keystile to the app's users.
import { createKeystile } from '@keystile/server'
import { findByEmail, findById, pool, type Person } from './people.ts'

const { ISSUER: issuer = 'http://localhost:3000/auth', KEYSTILE_KEY: key = '' } = process.env

const users = {
  findByLogin: findByEmail,
  findBySubject: findById,
  active: (person: Person) => !person.banned,
  scopes: (person: Person) => (person.admin ? ['orders:write' as const] : []),
  passwordHash: (person: Person) => person.hash,
}
export const keystile = await createKeystile({ issuer, key, database: pool, scopes: { 'orders:write': 'Sell' }, users })
