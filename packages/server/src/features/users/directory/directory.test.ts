import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { hash } from '../../credentials/password/argon2.ts'
import { checkedDirectory } from './checked-directory.ts'
import { labelOf, type Directory, type UserDirectory } from './directory.ts'

interface Person {
  readonly id: string
}

const ada: Person = { id: 'a1' }
const rules = {
  declared: { a: 'A', b: 'B', c: 'C' },
  defaults: ['b'],
  roles: { admin: ['a', 'b', 'c'] },
}

/** A correct directory, except for the fields that a test replaces. */
function directoryWith(
  fields: object = {},
  logged: unknown[] = [],
  userChanged: (subject: string) => Promise<void> = async () => {},
): Directory<Person> {
  const directory = {
    findByLogin: () => ada,
    findBySubject: () => ada,
    subject: ({ id }: Person) => id,
    active: () => true,
    scopes: () => [],
    passwordHash: () => null,
    ...fields,
  } satisfies UserDirectory<Person>
  const logger = {
    ...silentLogger,
    warn: (values: object, text: string) => logged.push(values, text),
  }
  return checkedDirectory(directory, { rules, logger, userChanged })
}

describe('checkedDirectory', () => {
  it('for an app’s own users, username(), rights() and passwordSession() return undefined', () => {
    const rights = { scopes: '[]', roles: '[]' }
    const of = ({ id }: Person): string => `of ${id}`
    const own = directoryWith({ username: of, passwordSession: of, rights: () => rights })
    assert.deepEqual(
      [own.username(ada), own.passwordSession(ada), own.rights(ada)],
      ['of a1', 'of a1', rights],
    )
    const apps = directoryWith()
    assert.deepEqual(
      [apps.username(ada), apps.passwordSession(ada), apps.rights(ada)],
      [undefined, undefined, undefined],
    )
  })

  it('the label of a user is the user name, else the address, else the subject', () => {
    const named = (username: unknown): Directory<Person> =>
      directoryWith({ username: () => username, email: () => 'ada@example.com' })
    assert.equal(labelOf(ada, named('ada')), 'ada')
    for (const none of [undefined, null, ''])
      assert.equal(labelOf(ada, named(none)), 'ada@example.com')
    assert.equal(labelOf(ada, directoryWith()), 'a1')
    assert.throws(() => labelOf(ada, named(1)), /^TypeError: users\.username must return a string/)
  })

  it('findByLogin() and findBySubject() may return a user or a promise of a user', async () => {
    for (const give of [(person: unknown) => person, async (person: unknown) => person]) {
      const found = directoryWith({ findByLogin: () => give(ada), findBySubject: () => give(ada) })
      assert.equal(await found.findByLogin('ada'), ada)
      assert.equal(await found.findActive('a1'), ada)
      for (const none of [undefined, null]) {
        const empty = directoryWith({
          findByLogin: () => give(none),
          findBySubject: () => give(none),
        })
        assert.equal(await empty.findByLogin('ada'), undefined)
        assert.equal(await empty.findActive('a1'), undefined)
      }
    }
  })

  it('checkedDirectory calls a class instance’s methods with `this` as the instance', async () => {
    class People implements UserDirectory<Person> {
      readonly #people = [ada]
      findByLogin(): Person | undefined {
        return this.#people[0]
      }
      findBySubject(): Person | undefined {
        return this.#people[0]
      }
      subject({ id }: Person): string {
        return this.#people.length > 0 ? id : ''
      }
      active(): boolean {
        return this.#people.length > 0
      }
      scopes(): readonly string[] {
        return this.#people.map(() => 'a')
      }
      passwordHash(): undefined {
        return void this.#people
      }
      savePasswordHash(): void {
        assert.equal(this.#people.length, 1)
      }
      email(): string {
        return `${this.#people[0]?.id}@example.com`
      }
      setPassword(): boolean {
        return this.#people.length === 1
      }
    }
    const people = checkedDirectory(new People(), { rules, logger: silentLogger })
    assert.equal(await people.findByLogin('ada'), ada)
    assert.equal(await people.findActive('a1'), ada)
    assert.deepEqual(people.scopes(ada), ['a', 'b'])
    assert.equal(people.passwordHash(ada), undefined)
    await people.savePasswordHash!(ada, 'hash')
    assert.equal(people.email(ada), 'a1@example.com')
    assert.equal(await people.setPassword?.(ada, 'hash', { replaces: 'old' }), true)
  })

  it('an invalid address from a directory’s email() is logged, and not used', () => {
    const logged: unknown[] = []
    const emailOf = (value: unknown): string | undefined =>
      directoryWith({ email: () => value }, logged).email(ada)
    assert.equal(emailOf('Ada@Example.com'), 'Ada@example.com')
    for (const none of [undefined, null, '']) assert.equal(emailOf(none), undefined)
    assert.equal(directoryWith().email(ada), undefined)
    assert.deepEqual(logged, [])
    const bad = ['ada', 'a@b.com, c@d.com', 'a@b.com\r\nbcc: c@d.com', ' a@b.com', '-oQ@b.com']
    for (const invalid of bad) assert.equal(emailOf(invalid), undefined)
    assert.equal(logged.length, 2 * bad.length)
    assert.deepEqual(logged[0], { subject: 'a1' })
    assert.doesNotMatch(JSON.stringify(logged), /b\.com/)
    for (const wrong of [1, true, ['a@b.com'], Promise.resolve('a@b.com')])
      assert.throws(() => emailOf(wrong), /^TypeError: users\.email must return a string/)
  })

  it('storedHash() returns a hash of any format, and undefined instead of null or ""', () => {
    const hashOf = (value: unknown): string | undefined =>
      directoryWith({ passwordHash: () => value }).storedHash(ada)
    assert.equal(
      hashOf('md5:0cc175b9c0f1b6a831c399e269772661'),
      'md5:0cc175b9c0f1b6a831c399e269772661',
    )
    for (const none of [undefined, null, '']) assert.equal(hashOf(none), undefined)
  })

  it('findByLogin() is not called with control characters or over 320 characters', async () => {
    const asked: string[] = []
    const directory = directoryWith({ findByLogin: (login: string) => void asked.push(login) })
    for (const login of ['a\0', '\n', 'a\u007f', '\u0085', 'a\ud800', 'x'.repeat(321)])
      assert.equal(await directory.findByLogin(login), undefined)
    assert.deepEqual(asked, [])
    const plausible = ['', 'x'.repeat(320), 'ada@example.com', "' or 1=1 --", 'ädä ☃']
    for (const login of plausible) await directory.findByLogin(login)
    assert.deepEqual(asked, plausible)
  })

  it('findBySubject() is not called for a subject that a database cannot store', async () => {
    const asked: string[] = []
    const directory = directoryWith({
      findBySubject: (subject: string) => void asked.push(subject),
    })
    for (const subject of ['a1\0', 'a1\ud800'])
      assert.equal(await directory.findActive(subject), undefined)
    assert.deepEqual(asked, [])
  })

  it('savePasswordHash() calls userChanged() only if the directory has cached: true', async () => {
    for (const [cached, expected] of [
      [true, ['a1']],
      [false, []],
      [undefined, []],
    ] as const) {
      const announced: string[] = []
      const savePasswordHash = (): void => {}
      const userChanged = async (subject: string): Promise<void> => void announced.push(subject)
      const directory = directoryWith({ cached, savePasswordHash }, [], userChanged)
      await directory.savePasswordHash?.(ada, 'hash')
      assert.deepEqual(announced, expected)
    }
  })

  it('findActive() rejects if the directory returns a user with another subject', async () => {
    await assert.rejects(
      directoryWith().findActive('A1'),
      /findBySubject must return the user with the requested subject/,
    )
  })

  it('checkedDirectory rejects if the directory finds a user that is not an object', async () => {
    const subject = (): string => 'a1'
    for (const value of [
      false,
      true,
      0,
      1,
      '',
      'a1',
      [],
      [ada],
      new Error('no such user'),
      () => ada,
    ]) {
      const directory = directoryWith({
        findByLogin: () => value,
        findBySubject: async () => value,
        subject,
      })
      await assert.rejects(directory.findByLogin('ada'), {
        name: 'TypeError',
        message: 'users.findByLogin must return an object, undefined or null',
      })
      await assert.rejects(
        directory.findActive('a1'),
        /users\.findBySubject must return an object, undefined or null/,
      )
    }
  })

  it('checkedDirectory throws if active() returns anything other than true or false', async () => {
    assert.equal(await directoryWith({ active: () => false }).findActive('a1'), undefined)
    for (const value of [Promise.resolve(false), 1, 0, 'true', undefined, null]) {
      const directory = directoryWith({ active: () => value })
      await assert.rejects(directory.findActive('a1'), /users\.active must return true or false/)
      assert.throws(() => directory.active(ada), TypeError)
    }
  })

  it('checkedDirectory survives a function that is async by mistake and rejects', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('the table is gone'))
    const expected = (name: string): RegExp =>
      new RegExp(`^TypeError: users\\.${name} must return .*, not a promise$`)
    const names = ['active', 'needsFactor', 'scopes', 'passwordHash', 'username', 'email'] as const
    for (const name of names)
      assert.throws(() => directoryWith({ [name]: fail })[name](ada), expected(name))
    assert.throws(() => directoryWith({ subject: fail }).subject(ada), expected('subject'))
    // Node reports a promise that nobody handles after all microtasks.
    await new Promise(setImmediate)
  })

  it('if a directory has no subject(), the subject of a user is the property `id`', async () => {
    const directory = directoryWith({ subject: undefined })
    assert.equal(directory.subject(ada), 'a1')
    const because = /users\.subject must be given, because the `id` of this user /.source
    assert.throws(
      () => directory.subject({ id: 7 as never }),
      new RegExp(`${because}has the type number;`),
    )
    assert.throws(() => directory.subject({ id: '' }), new RegExp(`${because}is empty;`))
  })

  it('checkedDirectory throws if subject() does not return a non-empty string', async () => {
    for (const value of ['', 1, undefined, null, Promise.resolve('a1'), ['a1']]) {
      const directory = directoryWith({ subject: () => value })
      assert.throws(
        () => directory.subject(ada),
        /users\.subject must return a string that is not empty/,
      )
      await assert.rejects(directory.findActive(value as string), TypeError)
    }
  })

  it('if a directory function fails, checkedDirectory rejects with the same error', async () => {
    const failed = new Error('the table is gone')
    const failures = [
      () => {
        throw failed
      },
      () => Promise.reject(failed),
    ]
    for (const fail of failures) {
      await assert.rejects(directoryWith({ findByLogin: fail }).findByLogin('ada'), failed)
      await assert.rejects(directoryWith({ findBySubject: fail }).findActive('a1'), failed)
      await assert.rejects(
        directoryWith({ savePasswordHash: fail }).savePasswordHash!(ada, 'hash'),
        failed,
      )
    }
  })

  it('checkedDirectory waits for the promise that savePasswordHash() returns', async () => {
    let saved = ''
    const savePasswordHash = async (_: Person, hash: string): Promise<void> => {
      saved = await Promise.resolve(hash)
    }
    await directoryWith({ savePasswordHash }).savePasswordHash!(ada, 'hash')
    assert.equal(saved, 'hash')
    assert.equal(directoryWith().savePasswordHash, undefined)
  })
})

describe('the scopes of a directory', () => {
  it('scopes() of a directory adds scopes to the default scopes; a role name is ignored', () => {
    assert.deepEqual(directoryWith().scopes(ada), ['b'])
    assert.deepEqual(directoryWith({ scopes: () => ['c', 'a', 'a'] }).scopes(ada), ['a', 'b', 'c'])
    assert.deepEqual(directoryWith({ scopes: () => ['admin'] }).scopes(ada), ['b'])
  })

  it('an undeclared scope from a directory is logged once and not granted', () => {
    const logged: unknown[] = []
    const directory = directoryWith({ scopes: () => ['a', 'root', 'toString', 'root'] }, logged)
    for (let i = 0; i < 3; i++) assert.deepEqual(directory.scopes(ada), ['a', 'b'])
    const text = 'users.scopes returned a scope that is not declared: it is not granted'
    assert.deepEqual(logged, [{ scope: 'root' }, text, { scope: 'toString' }, text])
  })

  it('at most 100 undeclared scopes of a directory are logged', () => {
    const logged: unknown[] = []
    let made = 0
    const directory = directoryWith({ scopes: () => [`x${made++}`] }, logged)
    for (let i = 0; i < 200; i++) directory.scopes(ada)
    assert.equal(logged.length, 200, '100 pairs of a scope and a sentence')
  })

  it('checkedDirectory throws if scopes() does not return a list of strings', () => {
    for (const value of ['a b', undefined, null, [1], Promise.resolve(['a']), new Set(['a'])])
      assert.throws(
        () => directoryWith({ scopes: () => value }).scopes(ada),
        /users\.scopes must return a list of strings/,
      )
  })
})

describe('the password hash of a directory', () => {
  it('a directory’s passwordHash() may return undefined, null or "" without a warning', () => {
    const logged: unknown[] = []
    for (const value of [undefined, null, ''])
      assert.equal(
        directoryWith({ passwordHash: () => value }, logged).passwordHash(ada),
        undefined,
      )
    assert.deepEqual(logged, [])
  })

  it('checkedDirectory logs that a user’s password hash is unusable, but not the hash', () => {
    const logged: unknown[] = []
    const stored = hash(Buffer.from('x'))
    assert.equal(directoryWith({ passwordHash: () => stored }, logged).passwordHash(ada), stored)
    assert.deepEqual(logged, [])
    const bad = [
      'secret',
      '$2b$17$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq',
      stored.replace('t=2', 't=999'),
    ]
    for (const value of bad)
      assert.equal(
        directoryWith({ passwordHash: () => value }, logged).passwordHash(ada),
        undefined,
      )
    const text =
      'the user cannot log in: the stored password hash must be argon2id, scrypt or bcrypt, ' +
      'and not too costly to verify'
    assert.deepEqual(
      logged,
      bad.flatMap(() => [{ subject: 'a1' }, text]),
    )
  })

  it('checkedDirectory throws if passwordHash() returns a Buffer, a promise or a number', () => {
    for (const value of [Buffer.from('x'), Promise.resolve('x'), 1])
      assert.throws(
        () => directoryWith({ passwordHash: () => value }).passwordHash(ada),
        /users\.passwordHash must return/,
      )
  })
})
