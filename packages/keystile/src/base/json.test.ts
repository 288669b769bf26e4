import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { asJsonObject, isJsonObject, parseJsonObject, type JsonObject } from './json.ts'

const parse = (text: string | Uint8Array): JsonObject =>
  parseJsonObject(typeof text === 'string' ? Buffer.from(text) : text)

function refuses(text: string | Uint8Array, reason: RegExp): void {
  assert.throws(
    () => parse(text),
    (error) => error instanceof SyntaxError && reason.test(error.message),
  )
}

/** Returns the text of an object with this many levels. The object itself is the first level. */
const nested = (levels: number, open: string, close: string): string =>
  `{"a":${open.repeat(levels - 1)}0${close.repeat(levels - 1)}}`

describe('parseJsonObject', () => {
  const accepted: readonly [string, object][] = [
    ['{}', {}],
    [' \t\r\n{ "a" : 1 } ', { a: 1 }],
    [
      '{"a":":","b":"\\":\\\\","c":"{\\"a\\":1,\\"a\\":2}"}',
      { a: ':', b: '":\\', c: '{"a":1,"a":2}' },
    ],
    ['{"a:b":{"c:":":"},":":[":"]}', { 'a:b': { 'c:': ':' }, ':': [':'] }],
    ['{"a\\"b":1,"a\\\\":2,"\\\\\\"":3}', { 'a"b': 1, 'a\\': 2, '\\"': 3 }],
    [
      '{"a":[{"a":1},{"a":2},[{"a":3}]],"b":{"a":{"a":4}}}',
      { a: [{ a: 1 }, { a: 2 }, [{ a: 3 }]], b: { a: { a: 4 } } },
    ],
    ['{"a":1,"A":2,"":3," ":4}', { a: 1, A: 2, '': 3, ' ': 4 }],
    ['{"1":1,"01":2,"1.0":3}', { 1: 1, '01': 2, '1.0': 3 }],
    ['{"\\u0061":1,"b":"\\ud83d\\ude00"}', { a: 1, b: '\u{1f600}' }],
    [
      '{"constructor":1,"toString":2,"hasOwnProperty":3}',
      { constructor: 1, toString: 2, hasOwnProperty: 3 },
    ],
    ['{"a":null,"b":[],"c":{},"d":-0.5e1,"e":true}', { a: null, b: [], c: {}, d: -5, e: true }],
  ]
  for (const [text, value] of accepted) {
    it(`parseJsonObject reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parse(text), value)
    })
  }

  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"a":1,"\\u0061":2}',
    '{"\\u0061":1,"a":2}',
    '{"\\u00e9":1,"\u00e9":2}',
    '{"\\/":1,"/":2}',
    '{"a\\nb":1,"a\\u000ab":2}',
    '{"x":{"a":1,"a":2}}',
    '{"x":[1,[{"a":1,"a":2}]]}',
    '{"x":[{"a":1},{"b":1,"b":2}]}',
    '{"a":{"b":1},"a":{"c":2}}',
    '{"a":{"b":1,"c":2},"a":3}',
    '{"__proto__":1,"__proto__":2}',
    '{"__proto__":{},"\\u005f_proto__":{}}',
    '{"constructor":1,"constructor":2}',
    '{"":1,"":2}',
    '{"1":1,"1":2}',
    '{"a":":","a":"x"}',
    '{"a:":1,"a:":2}',
    '{"a":1,"a":{"b":1}}',
    '{"a":{"b":1},"a":1}',
  ]
  for (const text of twice) {
    it(`parseJsonObject refuses ${text}: a member appears twice (RFC 7519 §4)`, () =>
      refuses(text, /a member appears twice/))
  }

  it('parseJsonObject reads __proto__ as an ordinary member and changes no prototype', () => {
    const value = parse('{"__proto__":{"admin":true},"a":{"__proto__":1}}')
    assert.ok(Object.hasOwn(value, '__proto__'))
    assert.equal(value['admin'], undefined)
    assert.equal(Reflect.get({}, 'admin'), undefined)
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
  })

  for (const text of ['[]', '[{}]', '"a"', '1', 'true', 'null', '[[]]', '0']) {
    it(`parseJsonObject refuses ${text}: it is not an object`, () =>
      refuses(text, /not a JSON object/))
  }

  const notJson = [
    '',
    ' ',
    '{',
    '}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    '{"a":1}}',
    '{"a":1}{}',
    '{"a":1} x',
  ]
  for (const text of [
    ...notJson,
    '{"a":NaN}',
    '{"a":01}',
    '{"a":"\n"}',
    '{/**/}',
    '{"a":1}\0',
    '{"a":"\\x"}',
    '\u00a0{}',
  ]) {
    it(`parseJsonObject refuses ${JSON.stringify(text)}: it is not JSON`, () =>
      refuses(text, /not JSON/))
  }

  it('parseJsonObject refuses a byte order mark, and invalid UTF-8 (RFC 8259 §8.1)', () => {
    refuses('\ufeff{}', /not JSON/)
    refuses(Buffer.from('{}', 'utf16le'), /not JSON/)
    refuses(Buffer.from('7b2261223a22ff227d', 'hex'), /not UTF-8/)
    refuses(Buffer.from('7b2261223a22eda080227d', 'hex'), /not UTF-8/)
  })

  for (const text of [
    '{"a":"\\ud800"}',
    '{"a":"\\udc00\\ud800"}',
    '{"a":["x",{"b":"y\\uDBFFz"}]}',
    '{"\\ud800":1}',
    '{"a":{"x\\udfff":1}}',
  ]) {
    it(`parseJsonObject refuses ${text}, which has half of a surrogate pair (RFC 7493 §2.1)`, () =>
      refuses(text, /surrogate/))
  }

  it('parseJsonObject accepts 32 levels of nesting in arrays and objects, and refuses 33', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      assert.ok(parse(nested(32, open, close)))
      refuses(nested(33, open, close), /nested deeper than 32 levels/)
    }
  })

  it('parseJsonObject refuses 60,000 levels of nesting without a stack overflow', () => {
    refuses(nested(60_000, '[', ']'), /nested deeper/)
    refuses(nested(60_000, '{"a":', '}'), /nested deeper/)
    refuses('['.repeat(60_000), /./)
    refuses('{"a":'.repeat(60_000), /./)
  })

  it('parseJsonObject reads many members and long strings quickly', () => {
    const members = Array.from({ length: 20_000 }, (_, i) => `"m${i}":":${i}"`)
    assert.equal(Object.keys(parse(`{${members.join()}}`)).length, 20_000)
    refuses(`{${[...members, '"m0":1'].join()}}`, /twice/)
    assert.ok(parse(`{"a":"${'\\\\'.repeat(200_000)}"}`))
  })

  it('the errors of parseJsonObject never contain the input', () => {
    for (const text of [
      '{"hunter2"',
      '["hunter2"]',
      '{"hunter2":1,"hunter2":2}',
      '{"a":"hunter2\\ud800"}',
    ]) {
      assert.throws(
        () => parse(text),
        (error: Error) => !error.message.includes('hunter2') && error.cause === undefined,
      )
    }
  })

  describe('parseJsonObject and the 318 files of JSONTestSuite', () => {
    const path = new URL('../../../../test/vectors/json-test-suite.json', import.meta.url)
    const suite = JSON.parse(readFileSync(path, 'utf8')) as {
      files: Record<string, string | object>
    }
    // Two files are too long to store: they are generated instead.
    const generated: Readonly<Record<string, string>> = {
      'n_structure_100000_opening_arrays.json': '['.repeat(100_000),
      'n_structure_open_array_object.json': `${'[{"":'.repeat(50_000)}\n`,
    }
    const files = Object.entries(suite.files).map(
      ([name, content]) =>
        [
          name,
          typeof content === 'string'
            ? Buffer.from(content, 'base64')
            : Buffer.from(generated[name]!),
        ] as const,
    )
    const readable = (bytes: Buffer): boolean => {
      try {
        parse(bytes)
        return true
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error))
        return false
      }
    }

    it('parseJsonObject throws a SyntaxError for each invalid file of JSONTestSuite', () => {
      const read = files.filter(([, bytes]) => readable(bytes))
      assert.equal(files.length, 318)
      assert.deepEqual(
        read.filter(([name]) => name.startsWith('n_')),
        [],
      )
    })

    it('parseJsonObject accepts JSONTestSuite’s objects, except two with duplicate names', () => {
      const objects = files.filter(
        ([name, bytes]) => name.startsWith('y_') && isJsonObject(JSON.parse(bytes.toString())),
      )
      assert.equal(objects.length, 12)
      assert.deepEqual(
        objects.filter(([, bytes]) => !readable(bytes)).map(([name]) => name),
        ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'],
      )
    })
  })
})

describe('isJsonObject', () => {
  it('isJsonObject is true for objects only', () => {
    assert.equal(isJsonObject({}), true)
    for (const value of [null, undefined, [], 'a', 1, true, () => {}])
      assert.equal(isJsonObject(value), false)
  })
})

describe('asJsonObject', () => {
  it('asJsonObject returns an object unchanged, and an empty object for any other value', () => {
    const value = { a: 1 }
    assert.equal(asJsonObject(value), value)
    for (const other of [[1], null, undefined, 'a']) assert.deepEqual(asJsonObject(other), {})
  })
})
