import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGuard } from 'keystile/hono'
import * as z from 'zod'
import {
  createKeystile,
  type BuiltInScope,
  type DurableAppEvent,
  type Keystile,
  type PublicUser,
  type UserDirectory,
} from '../index.ts'

// This file must compile. Each line after `@ts-expect-error` contains an error that the compiler
// must find.

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }
type Scope = keyof typeof scopes
interface Person {
  readonly id: string
  readonly email: string
  readonly admin: boolean
}

const ada: Person = { id: 'a1', email: 'ada@example.com', admin: true }
const users = {
  findByLogin: (login: string) => (login === ada.email ? ada : undefined),
  findBySubject: async (id: string) => (id === ada.id ? ada : null),
  subject: (person: Person) => person.id,
  active: () => true,
  scopes: (person: Person): readonly Scope[] => (person.admin ? ['orders:write'] : []),
  passwordHash: () => null,
}
const common = { issuer: 'http://localhost:3000', database: ':memory:', scopes } as const
const profile = z.object({ city: z.string() })

/** Accepts only two equal types. */
type Same<A, B> = [A, B] extends [B, A] ? true : false
const same = <A, B>(are: Same<A, B>): void => assert.equal(are, true)

/** Compiles the program but does not run it, because createKeystile starts threads. */
const compiles = (program: () => unknown): void => assert.equal(typeof program, 'function')
const refused = (started: Promise<unknown>): Promise<void> =>
  assert.rejects(started, { name: 'ConfigurationError' })

describe('the types of createKeystile', () => {
  it('createKeystile infers the user type from a directory', () => {
    compiles(async () => {
      const keystile = await createKeystile({ ...common, users })
      same<typeof keystile, Keystile<Scope | BuiltInScope, Person>>(true)
      const guard = createGuard(keystile)
      guard('orders:read', 'users:read')
      same<ReturnType<typeof guard.caller>['user'], Person>(true)
      // @ts-expect-error: not declared
      guard('orders:raed')
    })
  })

  it('createKeystile infers the user type from a directory that is written inline', () => {
    const one = async <T>(_sql: string): Promise<T | undefined> => undefined
    compiles(async () => {
      const keystile = await createKeystile({
        ...common,
        users: {
          findByLogin: (login) => one<Person>(`… ${login.toLowerCase()}`),
          findBySubject: (subject) => one<Person>(`… ${subject.toLowerCase()}`),
          subject: (person) => person.id,
          active: (person) => !person.admin,
          scopes: (person) => (person.admin ? ['orders:write', 'users:read'] : []),
          passwordHash: (person) => person.email,
          savePasswordHash: (person, hash) => one(`${person.id} ${hash}`),
          email: (person) => person.email,
          setPassword: async (person, hash, { replaces }) =>
            (await one(`${person.id} ${hash} ${replaces}`)) !== undefined,
        },
      })
      same<typeof keystile, Keystile<Scope | BuiltInScope, Person>>(true)
    })
  })

  it('createKeystile infers the user type from an instance of a class', () => {
    class People implements UserDirectory<Person, Scope> {
      findByLogin(): Person {
        return ada
      }
      findBySubject(): Person {
        return ada
      }
      subject(person: Person): string {
        return person.id
      }
      active(): boolean {
        return true
      }
      scopes(): readonly Scope[] {
        return []
      }
      passwordHash(): null {
        return null
      }
    }
    compiles(async () => {
      const keystile = await createKeystile({ ...common, users: new People() })
      same<typeof keystile, Keystile<Scope | BuiltInScope, Person>>(true)
    })
  })

  it('without a directory, the user type of createKeystile is Keystile’s own PublicUser', () => {
    compiles(async () => {
      const plain = await createKeystile(common)
      same<typeof plain, Keystile<Scope | BuiltInScope, PublicUser & object>>(true)
      const extended = await createKeystile({
        ...common,
        profile,
        roles: { clerk: ['orders:read'] },
      })
      same<typeof extended, Keystile<Scope | BuiltInScope, PublicUser & { city: string }>>(true)
      const bare = await createKeystile({ issuer: common.issuer, database: ':memory:' })
      same<typeof bare, Keystile<BuiltInScope, PublicUser & object>>(true)
    })
  })

  it('the types of keystile.users come from the profile, the scopes and the directory', () => {
    compiles(async () => {
      const { users: accounts } = await createKeystile({ ...common, profile })
      const created = await accounts.create({
        username: 'ada',
        password: 'an engine of her own',
        city: 'London',
        scopes: ['orders:read', 'users:read'],
      })
      same<typeof created.city, string>(true)
      same<typeof created.disabled, boolean>(true)
      await accounts.update(created.id, { city: 'Paris' })
      // @ts-expect-error: the profile has no such field
      await accounts.update(created.id, { town: 'Paris' })
      // @ts-expect-error: a field of Keystile
      await accounts.update(created.id, { username: 'eve' })
      // @ts-expect-error: not declared
      await accounts.grant(created.id, { scopes: ['orders:raed'] })
      await accounts.grant(created.id, { removeScopes: ['orders:of-before'] })

      const own = await createKeystile({ ...common, users })
      // @ts-expect-error: the app keeps the users
      await own.users.find({ id: 'a1' })
    })
  })

  it('onEvent gets an event whose type is a closed union', () => {
    compiles(() =>
      createKeystile({
        ...common,
        onEvent(event) {
          if (event.type === 'changed')
            same<typeof event.what, 'profile' | 'email' | 'password' | 'rights'>(true)
          // @ts-expect-error: no such event
          if (event.type === 'refreshed') throw new Error()
        },
      }),
    )
  })

  it('only a durable event handler gets the id of an event', () => {
    const handle = (event: DurableAppEvent): string => event.id
    compiles(() =>
      createKeystile({
        ...common,
        onEvent: {
          durable: true,
          handle(event, { signal }) {
            same<typeof event.id, string>(true)
            same<typeof signal, AbortSignal>(true)
            if (event.type === 'session_ended') same<typeof event.sessionId, string>(true)
          },
        },
      }),
    )
    compiles(() =>
      createKeystile({
        ...common,
        onEvent(event) {
          // @ts-expect-error: only a durable event has an id
          same<typeof event.id, string>(true)
        },
      }),
    )
    // @ts-expect-error: an object must be a durable handler
    compiles(() => createKeystile({ ...common, onEvent: { durable: false, handle } }))
    // @ts-expect-error: no such option
    compiles(() => createKeystile({ ...common, onEvent: { durable: true, handle, retries: 3 } }))
  })

  it('with a directory, createKeystile refuses options for Keystile’s own accounts', async () => {
    // @ts-expect-error: a directory has its own profile
    await refused(createKeystile({ ...common, users, profile }))
    // @ts-expect-error: a directory has its own registration
    await refused(createKeystile({ ...common, users, registration: 'open' }))
    // @ts-expect-error: a directory has its own verification of addresses
    await refused(createKeystile({ ...common, users, emailVerification: 'off' }))
    // @ts-expect-error: a directory has no roles
    await refused(createKeystile({ ...common, users, roles: { clerk: ['orders:read'] } }))
  })

  it('createKeystile refuses an undeclared scope', async () => {
    compiles(() => {
      const scopes = (): readonly 'orders:raed'[] => ['orders:raed']
      // @ts-expect-error: not declared
      return createKeystile({ ...common, users: { ...users, scopes } })
    })
    compiles(() =>
      createKeystile({
        ...common,
        users: {
          ...users,
          // @ts-expect-error: not declared
          scopes: (person: Person) => (person.admin ? ['orders:raed'] : []),
        },
      }),
    )
    // @ts-expect-error: not declared
    await refused(createKeystile({ ...common, users, defaultScopes: ['orders:raed'] }))
    // @ts-expect-error: not declared
    await refused(createKeystile({ ...common, roles: { clerk: ['orders:raed'] } }))
  })

  it('createKeystile demands `subject` if the `id` of users is not always a string', async () => {
    const { subject: _, ...named } = users
    compiles(() => createKeystile({ ...common, users: named }))

    interface Row {
      readonly id: number
    }
    const rows = {
      findByLogin: async (): Promise<Row> => ({ id: 1 }),
      findBySubject: async (): Promise<Row | undefined> => undefined,
      active: () => true,
      scopes: () => [],
      passwordHash: () => null,
    }
    // @ts-expect-error: the id is a number, so `subject` must be given
    compiles(() => createKeystile({ ...common, users: rows }))
    compiles(async () => {
      const subject = ({ id }: Row): string => String(id)
      const keystile = await createKeystile({ ...common, users: { ...rows, subject } })
      same<typeof keystile, Keystile<Scope | BuiltInScope, Row>>(true)
    })
    compiles(async () => {
      const keystile = await createKeystile({
        ...common,
        users: {
          findByLogin: async (): Promise<Row> => ({ id: 1 }),
          findBySubject: async (): Promise<Row | undefined> => undefined,
          subject: (row) => String(row.id),
          active: () => true,
          scopes: () => [],
          passwordHash: () => null,
        },
      })
      same<typeof keystile, Keystile<Scope | BuiltInScope, Row>>(true)
    })
    const either = { ...rows, findByLogin: async (): Promise<Row | Person> => ada }
    // @ts-expect-error: one of the ids is a number
    compiles(() => createKeystile({ ...common, users: either }))
  })

  it('createKeystile refuses a user directory with a missing or wrong function', async () => {
    const { active: _, ...incomplete } = users
    // @ts-expect-error: the function `active` is missing
    await refused(createKeystile({ ...common, users: incomplete }))
    compiles(() => {
      const active = async (): Promise<boolean> => false
      // @ts-expect-error: `active` must not return a promise, which is always true
      return createKeystile({ ...common, users: { ...users, active } })
    })
    compiles(() => {
      const findByLogin = (): { name: string } => ({ name: 'x' })
      // @ts-expect-error: findByLogin returns another user type than the other functions take
      return createKeystile({ ...common, users: { ...users, findByLogin } })
    })
  })
})
