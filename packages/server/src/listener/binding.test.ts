import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostsOf, parseBinding } from './binding.ts'
import { feature, logLevels } from './feature.ts'

describe('parseBinding', () => {
  it('parseBinding reads a host and a port', () => {
    for (const [text, hosts, port] of [
      ['127.0.0.1:9464', ['127.0.0.1'], 9464],
      ['localhost:1', ['127.0.0.1', '::1'], 1],
      ['my-host.example:65535', ['my-host.example'], 65_535],
      ['[::1]:80', ['::1'], 80],
      ['[::FFFF:1.2.3.4]:80', ['::FFFF:1.2.3.4'], 80],
    ] as const)
      assert.deepEqual(parseBinding(text), { hosts, port })
  })

  it('parseBinding returns undefined for a string that is not a valid host and port', () => {
    for (const text of [
      '',
      'x',
      'x:',
      ':80',
      'x:0',
      'x:65536',
      'x:123456',
      'x:8a',
      'x:80 ',
      ' x:80',
      'a b:80',
      '::1:80',
      '[::1:80',
      '::1]:80',
      '[x]:80',
      '[]:80',
      '!x:80',
      'x:80:80',
    ])
      assert.equal(parseBinding(text), undefined, text)
  })

  it('hostsOf returns two addresses for localhost, and any other host unchanged', () => {
    assert.deepEqual(hostsOf('localhost'), ['127.0.0.1', '::1'])
    assert.deepEqual(hostsOf('0.0.0.0'), ['0.0.0.0'])
  })
})

describe('the settings of the listener', () => {
  it('each setting of the listener accepts valid values and refuses all others', () => {
    for (const [name, good, bad] of [
      ['host', ['localhost'], ['', 1]],
      ['port', [1, 65_535], [0, 65_536, 1.5, '80']],
      ['logFile', ['x.log'], ['']],
      ['logLevel', logLevels, ['trace', '']],
      ['accessLog', ['on', 'off'], ['yes']],
      ['metrics', ['on', 'off', '127.0.0.1:9464'], ['', 'x', true, 9464]],
    ] as const) {
      const setting = feature.settings.find((each) => each.name === name)
      assert.ok(setting)
      for (const value of good)
        assert.ok(setting.schema.safeParse(value).success, `${name} ${value}`)
      for (const value of bad)
        assert.ok(!setting.schema.safeParse(value).success, `${name} ${value}`)
    }
    assert.deepEqual(logLevels, ['debug', 'info', 'warn', 'error'])
  })
})
