import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as configuration from '../configuration/settings.ts'
import type { OptionValues } from '../configuration/keystile-options.ts'
import type { WithoutDefault } from '../configuration/options.ts'
import type { Setting } from '../feature/setting.ts'
import type { Audit } from '../features/audit/audit.ts'
import type { insertAudit } from '../features/audit/in-transaction.ts'
import type { LoginEvent } from '../features/login/audit-events.ts'
import * as accounts from '../features/accounts/settings.ts'
import * as audit from '../features/audit/settings.ts'
import * as browserSession from '../features/browser-session/settings.ts'
import * as directory from '../features/directory/settings.ts'
import * as limits from '../features/limits/settings.ts'
import * as passwordPolicy from '../features/password-policy/settings.ts'
import * as password from '../features/password/settings.ts'
import * as scopes from '../features/scopes/settings.ts'
import * as sessions from '../features/sessions/settings.ts'
import * as signingKeys from '../features/signing-keys/settings.ts'
import * as listener from '../listener/settings.ts'
import { features, settings, type AuditEventName } from './features.ts'

// What matters here is that this file compiles: the records and the public interfaces are written by hand, both.

const owners = {
  ...configuration,
  ...accounts,
  ...audit,
  ...browserSession,
  ...directory,
  ...limits,
  ...passwordPolicy,
  ...password,
  ...scopes,
  ...sessions,
  ...signingKeys,
}
const { logLevels: _, ...listenerSettings } = listener

type RecordsOf<M> = Extract<M[keyof M], { readonly name: string }>
type ValuesOf<R extends { readonly name: string }> = {
  readonly [S in R as S['name']]: S extends Setting<string, infer T> ? T : never
}
type Defaulted<R> = R extends { readonly name: infer N; readonly default: unknown } ? N : never

/** Holds only where both types are the same. */
type Same<A, B> = [A, B] extends [B, A] ? true : false
const same = <A, B>(are: Same<A, B>): void => assert.equal(are, true)

type OptionRecord = RecordsOf<typeof owners>
type ServerRecord = RecordsOf<typeof listenerSettings>

describe('the records of settings', () => {
  it('have the names and values of the options of createKeystile', () => {
    same<ValuesOf<OptionRecord>, OptionValues>(true)
    // @ts-expect-error: a record of another name
    same<ValuesOf<OptionRecord | Setting<'colour', string>>, OptionValues>(true)
    // @ts-expect-error: an option without a record
    same<ValuesOf<Exclude<OptionRecord, { readonly name: 'key' }>>, OptionValues>(true)
    // @ts-expect-error: another value
    same<ValuesOf<Exclude<OptionRecord, { name: 'key' }> | Setting<'key', number>>, OptionValues>(true)
  })

  it('have the names and values of the settings of the stand-alone server', () => {
    same<ValuesOf<ServerRecord>, listener.ServerSettings>(true)
  })

  it('have a default unless an option is required or may be missing', () => {
    type Others = WithoutDefault | 'issuer' | 'audience' | 'database'
    same<Defaulted<OptionRecord>, Exclude<keyof OptionValues, Others>>(true)
  })

  it('are all in the list of features, once each', () => {
    const written = [...Object.values(owners), ...Object.values(listenerSettings)].map(({ name }) => name)
    assert.deepEqual(settings.map(({ name }) => name).toSorted(), written.toSorted())
    for (const [name, record] of Object.entries({ ...owners, ...listenerSettings })) assert.equal(record.name, name)
  })

  it('belong to features with names of their own', () => {
    const names = features.map(({ name }) => name)
    assert.deepEqual([...new Set(names)], names)
  })

  it('share no variable, and each default has the form that it demands', () => {
    const variables = settings.flatMap(({ environment = [] }) => environment)
    assert.equal(new Set(variables).size, variables.length)
    for (const setting of settings) {
      if (setting.default === undefined) continue
      assert.deepEqual(setting.schema.parse(setting.default), setting.default, setting.name)
    }
  })
})

describe('the audit record', () => {
  it('takes the events that the writing feature declares, and names', () => {
    type Transaction = Parameters<typeof insertAudit>[0]
    const write = (insert: typeof insertAudit, transaction: Transaction, audit: Audit<LoginEvent>): void => {
      const entry = { by: { actor: 'nobody' }, at: 0 } as const
      void insert<LoginEvent>(transaction, { ...entry, event: 'login_refused' })
      // @ts-expect-error: an event of another feature
      void insert<LoginEvent>(transaction, { ...entry, event: 'client_refused' })
      // @ts-expect-error: the feature names no events
      void insert(transaction, { ...entry, event: 'login_refused' })
      // @ts-expect-error: an event that no feature declares
      void audit.record({ ...entry, event: 'login_doubted' })
    }
    assert.equal(typeof write, 'function')
  })

  it('is one for all features that are in the list, and for no other', () => {
    const record: Audit<AuditEventName> = { record: async () => {} }
    const ofLogins: Audit<LoginEvent> = record
    // @ts-expect-error: a feature that is not in the list
    const ofAnother: Audit<'coffee_made'> = record
    assert.equal(ofLogins, ofAnother)
  })
})
