import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuditEventOf, WithAuditEvents, WithSettings } from '../feature/feature-list.ts'
import type { Feature } from '../feature/feature.ts'
import {
  listSettings,
  type DefaultedSetting,
  type Setting,
  type SettingList,
} from '../feature/setting.ts'
import { filledString, trueOrFalse } from '../feature/values.ts'
import type { Audit } from '../features/operations/audit/audit.ts'
import type { insertAudit } from '../features/operations/audit/in-transaction.ts'
import type { LoginEvent } from '../features/sign-in/login/feature.ts'
import {
  features,
  optionSettings,
  optionsWithoutDefault,
  settings,
  type AuditEventName,
  type OptionValues,
} from './features.ts'
import type { KeystileOptions } from './keystile-options.ts'

/** Accepts only two equal types. */
type Same<A, B> = [A, B] extends [B, A] ? true : false
const same = <A, B>(are: Same<A, B>): void => assert.equal(are, true)

interface ColourOptions {
  readonly colour?: string
  readonly isBright?: boolean
}
const colour: Setting<'colour', string> = {
  name: 'colour',
  takenBy: 'both',
  schema: filledString,
  help: 'a colour',
}
const isBright: DefaultedSetting<'isBright', boolean> = {
  name: 'isBright',
  takenBy: 'both',
  schema: trueOrFalse,
  default: false,
  help: 'whether it is bright',
}

describe('listSettings', () => {
  it('listSettings returns the records of the settings in the given order', () => {
    assert.deepEqual(listSettings<ColourOptions>({ isBright, colour }), [isBright, colour])
  })

  it('listSettings compiles only if no record is missing or wrong', () => {
    // @ts-expect-error: an option without a record
    listSettings<ColourOptions>({ colour })
    // @ts-expect-error: a record without an option
    listSettings<ColourOptions>({ colour, isBright, shade: colour })
    // @ts-expect-error: a record of another name
    listSettings<ColourOptions>({ colour, isBright: { ...isBright, name: 'bright' } })
    // @ts-expect-error: a value of another type
    listSettings<ColourOptions>({ colour: { ...colour, schema: trueOrFalse }, isBright })
  })
})

describe('Feature', () => {
  it('a feature must contain all settings and audit events of its type Feature<…>', () => {
    type Bright = Feature<ColourOptions, 'dimmed'>
    const parts = {
      settings: listSettings<ColourOptions>({ colour, isBright }),
      auditEvents: ['dimmed'],
    } as const
    const bright: Bright = { name: 'bright', ...parts }
    same<AuditEventOf<Bright>, 'dimmed'>(true)
    same<AuditEventOf<Feature>, never>(true)
    // @ts-expect-error: no settings
    const unset: Bright = { name: 'bright', auditEvents: parts.auditEvents }
    // @ts-expect-error: no audit events
    const unheard: Bright = { name: 'bright', settings: parts.settings }
    // @ts-expect-error: settings of options that are not named
    const unnamed: Feature = { name: 'bright', settings: parts.settings }
    assert.ok(bright && unset && unheard && unnamed)
  })
})

describe('WithAuditEvents', () => {
  it('WithAuditEvents accepts a feature list only if the list has all events in `Names`', () => {
    type Both = readonly [Feature<object, 'dimmed'>, Feature]
    same<WithAuditEvents<'dimmed', Both>, Both>(true)
    same<WithAuditEvents<'dimmed' | 'lit', Both>, { readonly missing: 'lit' }>(true)
  })
})

describe('WithSettings', () => {
  it('WithSettings accepts a feature list only if the list has all settings in `Names`', () => {
    type Both = readonly [{ readonly name: 'light'; readonly settings: SettingList<ColourOptions> }]
    same<WithSettings<'colour' | 'isBright', Both>, Both>(true)
    same<WithSettings<'colour' | 'shade', Both>, { readonly missing: 'shade' }>(true)
    same<
      WithSettings<'colour', readonly [{ readonly name: 'plain' }]>,
      { readonly missing: 'colour' }
    >(true)
  })
})

describe('the settings of all features', () => {
  it('createKeystile has a setting for each of its options', () => {
    same<keyof KeystileOptions<string, object>, keyof OptionValues>(true)
  })

  it('each option has a default, is required, or is in optionsWithoutDefault', () => {
    const without = optionSettings.filter(
      ({ default: value, standAloneDefault }) =>
        value === undefined && standAloneDefault === undefined,
    )
    assert.deepEqual(without.map(({ name }) => name).toSorted(), optionsWithoutDefault.toSorted())
  })

  it('features and settings have unique names', () => {
    for (const list of [features, settings]) {
      const names = list.map(({ name }) => name)
      assert.deepEqual([...new Set(names)], names)
    }
  })

  it('no two settings share an environment variable, and each default passes its schema', () => {
    const variables = settings.flatMap(({ environment = [] }) => environment)
    assert.equal(new Set(variables).size, variables.length)
    for (const setting of settings) {
      if (setting.default === undefined) continue
      assert.deepEqual(setting.schema.parse(setting.default), setting.default, setting.name)
    }
  })
})

describe('the types of the audit record', () => {
  it('insertAudit accepts only events that are declared and named in its type argument', () => {
    type Transaction = Parameters<typeof insertAudit>[0]
    const write = (
      insert: typeof insertAudit,
      transaction: Transaction,
      audit: Audit<LoginEvent>,
    ): void => {
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

  it('the type Audit accepts only events of a feature in the list of features', () => {
    const record: Audit<AuditEventName> = { record: async () => {} }
    const ofLogins: Audit<LoginEvent> = record
    // @ts-expect-error: a feature that is not in the list
    const ofAnother: Audit<'coffee_made'> = record
    assert.equal(ofLogins, ofAnother)
  })
})
