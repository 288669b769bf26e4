import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, ProblemError, readWebRequest } from 'keystile/internal'
import { decodeFormComponent, readForm } from './form.ts'

const urlencoded = 'application/x-www-form-urlencoded'

async function read(body: string | Uint8Array, contentType = urlencoded): Promise<object> {
  const request = new Request('https://auth.example/token', {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: Buffer.from(body),
  })
  return Object.fromEntries(await readForm(readWebRequest(request)))
}

async function refuses(reading: Promise<object>, sentence: RegExp): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof OAuthError)
    assert.equal(error.code, 'invalid_request')
    assert.match(error.message, sentence)
    return true
  })
}

const multipart = (...parts: readonly string[]): string =>
  [...parts.map((part) => `--x\r\nContent-Disposition: form-data; ${part}\r\n`), '--x--\r\n'].join(
    '',
  )

describe('readForm', () => {
  it('readForm decodes names and values, even if a value contains an equals sign', async () => {
    assert.deepEqual(await read('a=1&b%20c=x+y%2Bz&d==e=&f=%C3%B6'), {
      a: '1',
      'b c': 'x y+z',
      d: '=e=',
      f: 'ö',
    })
  })

  it('readForm treats a parameter without a value as missing, and skips empty pairs', async () => {
    assert.deepEqual(await read(''), {})
    assert.deepEqual(await read('a&b=&&c=1&'), { c: '1' })
    assert.deepEqual(await read('=1'), { '': '1' })
    await refuses(read('=&=1'), /appears twice/)
  })

  it('readForm reads a multipart form like a urlencoded form', async () => {
    const body = multipart('name="a"\r\n\r\n1', 'name="b"\r\n\r\n')
    assert.deepEqual(await read(body, 'multipart/form-data; boundary=x'), { a: '1' })
  })

  it('readForm accepts only the two content types of forms, in upper or lower case', async () => {
    assert.deepEqual(await read('a=1', 'Application/X-WWW-Form-Urlencoded ; charset=utf-8'), {
      a: '1',
    })
    for (const type of ['application/json', 'text/plain', `${urlencoded}x`, '']) {
      await refuses(read('a=1', type), /must be a form/)
    }
  })

  it('readForm refuses a parameter that appears twice, even if empty (RFC 6749 §3.2)', async () => {
    for (const body of ['a=1&a=1', 'a=&a=', 'a&a', 'a=1&%61=2'])
      await refuses(read(body), /appears twice/)
    const twice = multipart('name="a"\r\n\r\n1', 'name="a"\r\n\r\n2')
    await refuses(read(twice, 'multipart/form-data; boundary=x'), /appears twice/)
  })

  it('readForm refuses invalid percent-encoding or invalid UTF-8 in names and values', async () => {
    const bad = [
      '%',
      'a=%',
      'a=%4',
      'a=%zz',
      '%zz=1',
      'a=%FF',
      '%C3=1',
      Buffer.of(0x61, 0x3d, 0xff),
    ]
    for (const body of bad) await refuses(read(body), /must be well encoded/)
  })

  it('readForm refuses a multipart body that is malformed or contains a file', async () => {
    await refuses(read('a=1', 'multipart/form-data; boundary=x'), /must be multipart/)
    await refuses(read('a=1', 'multipart/form-data'), /must be multipart/)
    const file = multipart('name="a"; filename="f"\r\nContent-Type: text/plain\r\n\r\n1')
    await refuses(read(file, 'multipart/form-data; boundary=x'), /is a file/)
  })

  it('readForm accepts a body of 65,536 bytes, and answers 413 to a longer one', async () => {
    assert.deepEqual(await read(`a=${'x'.repeat(65_534)}`), { a: 'x'.repeat(65_534) })
    await assert.rejects(
      read(`a=${'x'.repeat(65_535)}`),
      (error) => error instanceof ProblemError && error.status === 413,
    )
  })
})

describe('decodeFormComponent', () => {
  it('decodeFormComponent decodes a plus as a space, and bytes as UTF-8', () => {
    assert.equal(decodeFormComponent('a+b%2B%C3%A4'), 'a b+ä')
    assert.equal(decodeFormComponent('%E4'), undefined)
  })
})
