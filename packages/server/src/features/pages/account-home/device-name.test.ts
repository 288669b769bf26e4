import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isPhone, readDevice } from './device-name.ts'

const iphone = 'iPhone; CPU iPhone OS 18_6 like Mac OS X'
const webkit = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const blink = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0'

it('the page of an account names common browsers and systems', () => {
  for (const [userAgent, browser, system] of [
    ['(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox', 'Linux'],
    [`(Windows NT 10.0; Win64; x64) ${blink} Safari/537.36`, 'Chrome', 'Windows'],
    [`(Windows NT 10.0; Win64; x64) ${blink} Safari/537.36 Edg/140.0.0.0`, 'Edge', 'Windows'],
    [`(Windows NT 10.0; Win64; x64) ${blink} Safari/537.36 OPR/120.0.0.0`, 'Opera', 'Windows'],
    [`(X11; CrOS x86_64 14541.0.0) ${blink} Safari/537.36`, 'Chrome', 'ChromeOS'],
    [`(Linux; Android 10; K) ${blink} Mobile Safari/537.36`, 'Chrome', 'Android'],
    [
      `(Linux; Android 10; K) AppleWebKit/537.36 SamsungBrowser/28.0 ${blink} Mobile Safari/537.36`,
      'Samsung Internet',
      'Android',
    ],
    [`(Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/26.0 Safari/605.1`, 'Safari', 'macOS'],
    [`(${iphone}) ${webkit} Version/26.0 Mobile/15E148 Safari/604.1`, 'Safari', 'iOS'],
    [`(${iphone}) ${webkit} CriOS/140.0 Mobile/15E148 Safari/604.1`, 'Chrome', 'iOS'],
    [`(iPad; CPU OS 18_6 like Mac OS X) ${webkit} FxiOS/140.0 Mobile/15E148`, 'Firefox', 'iPadOS'],
  ])
    assert.deepEqual(readDevice(`Mozilla/5.0 ${userAgent}`), { browser, system })
})

it('the page of an account names no browser and no system that it does not know', () => {
  for (const userAgent of ['', 'curl/8.5.0', 'node', 'Chrome/1'])
    assert.equal(readDevice(userAgent), undefined)
  const rare = { browser: undefined, system: 'Linux' }
  assert.deepEqual(readDevice('Mozilla/5.0 (X11; Linux x86_64)'), rare)
})

it('only telephones have the sign of a telephone', () => {
  assert.deepEqual(
    ['Android', 'iOS', 'macOS'].map((system) => isPhone({ browser: 'Firefox', system })),
    [true, true, false],
  )
  assert.equal(isPhone(undefined), false)
})
