import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { serverSettings, settings } from '../server/features.ts'
import { describeDefault, flagOf, formatValue, type Setting } from './setting.ts'
import { standAloneWording, type Source } from './stand-alone-wording.ts'
import { appWording } from './wording.ts'

describe('appWording', () => {
  it('appWording names options and shows how to set them in code', () => {
    assert.equal(appWording.name('key'), 'key')
    assert.equal(appWording.set('rateLimits', 'on'), "set rateLimits: 'on'")
    assert.equal(appWording.set('graceSeconds', 10), 'set graceSeconds: 10')
    assert.equal(appWording.set('trustedProxies', ['10.0.0.7']), "set trustedProxies: ['10.0.0.7']")
    assert.equal(appWording.set('corsOrigins', ['a', 'b']), "set corsOrigins: ['a', 'b']")
    assert.equal(appWording.provide('key'), 'pass it as key')
  })
})

describe('standAloneWording', () => {
  const given = (kind: Source['kind'], name: string): ReadonlyMap<string, Source> =>
    new Map([['rateLimits', { kind, name }]])

  it('if a setting is missing, standAloneWording names its environment variable', () => {
    const say = standAloneWording(serverSettings)
    assert.equal(say.name('key'), 'KEYSTILE_KEY')
    assert.equal(say.set('rateLimits', 'on'), 'set KEYSTILE_RATE_LIMITS=on')
    assert.equal(say.set('trustedProxies', []), 'set KEYSTILE_TRUSTED_PROXIES=none')
    assert.equal(
      say.provide('key'),
      'set KEYSTILE_KEY, or set KEYSTILE_KEY_FILE to the path of a file with the value',
    )
    assert.equal(say.provide('issuer'), 'set KEYSTILE_ISSUER')
  })

  it('standAloneWording names the flag or the configuration property that set the value', () => {
    const byFlag = standAloneWording(serverSettings, given('flag', '--rate-limits'))
    assert.equal(byFlag.name('rateLimits'), '--rate-limits')
    assert.equal(byFlag.set('rateLimits', 'on'), 'set --rate-limits=on')
    const byFile = standAloneWording(serverSettings, given('file', 'rateLimits'))
    assert.equal(byFile.name('rateLimits'), 'rateLimits')
    assert.equal(byFile.set('rateLimits', 'on'), "set rateLimits: 'on'")
  })

  it('standAloneWording names the property if only the configuration file can set a value', () => {
    const say = standAloneWording(serverSettings)
    assert.equal(say.name('scopes'), 'scopes')
    assert.equal(say.set('scopes', ['a']), "set scopes: ['a']")
    assert.equal(say.provide('scopes'), 'write scopes into the configuration file')
  })
})

describe('formatValue', () => {
  it('formatValue writes a default in the form that the setting’s parser reads', () => {
    for (const setting of serverSettings) {
      const { parse, default: value } = setting
      if (!parse || value === undefined) continue
      assert.deepEqual(parse(formatValue(setting, value as object)), value, setting.name)
    }
  })

  it('formatValue writes commas between the items of a list', () => {
    const list = serverSettings.find(({ name }) => name === 'corsOrigins')
    assert.ok(list)
    assert.equal(
      formatValue(list, ['https://a.example', 'https://b.example']),
      'https://a.example,https://b.example',
    )
  })
})

describe('flagOf', () => {
  it('flagOf returns the flag of a setting that an environment variable can set', () => {
    const [setting] = serverSettings
    assert.ok(setting)
    const flag = (given: Partial<Setting>): string | undefined =>
      flagOf({ ...setting, name: 'logFileName', environment: ['LOG'], ...given })
    assert.equal(flag({}), '--log-file-name')
    assert.equal(flag({ flag: 'log' }), '--log')
    assert.equal(flag({ flag: false }), undefined)
    const { environment: _without, ...others } = setting
    assert.equal(flagOf({ ...others, flag: 'log' }), undefined)
  })
})

describe('describeDefault', () => {
  it('describeDefault describes the default of every setting', () => {
    const without = (list: readonly Setting[]): readonly string[] =>
      list.filter((setting) => describeDefault(setting) === undefined).map(({ name }) => name)
    assert.deepEqual(without(settings), [])
    const { default: _default, defaultText: _text, ...none } = settings[0] ?? assert.fail()
    assert.equal(describeDefault(none), undefined)
  })
})
