import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { createBrand } from './brand.ts'
import { fieldOf, type Field } from './field.ts'
import { markup } from './html.ts'
import { pageAnswer } from './layout.ts'

const appColor = '#7a1fa2'

/** Returns the lines of a field that are not empty. */
const linesOf = (field: Field): readonly string[] =>
  fieldOf(field)
    .text.split('\n')
    .filter((line) => line !== '' && !/^<\/?div/.test(line))

describe('the layout of account pages', () => {
  it('the template tag `markup` escapes strings, keeps nested markup, and omits undefined', () => {
    const inner = markup`<b>${'<&">'}</b>`
    assert.equal(inner.text, '<b>&#60;&#38;&#34;&#62;</b>')
    assert.equal(markup`<p>${inner}${undefined}${''}.</p>`.text, `<p>${inner.text}.</p>`)
  })

  it('a form field has a label, and aria-describedby names the field’s hint and error', () => {
    assert.deepEqual(linesOf({ name: 'login', label: 'Name' }), [
      '<label for="login">Name</label>',
      '<input id="login" name="login" required >',
    ])
    assert.deepEqual(
      linesOf({
        name: 'a b/c_d-e',
        label: '<Label>',
        hint: '<Hint>',
        fault: markup`Wrong`,
        attributes: markup`type="email"`,
      }),
      [
        '<label for="a-b-c_d-e">&#60;Label&#62;</label>',
        '<p class="fault" id="a-b-c_d-e-fault" role="alert">Wrong</p>',
        '<p class="hint" id="a-b-c_d-e-hint">&#60;Hint&#62;</p>',
        '<input id="a-b-c_d-e" name="a b/c_d-e" required type="email"' +
          ' aria-describedby="a-b-c_d-e-fault a-b-c_d-e-hint" aria-invalid="true" autofocus>',
      ],
    )
    const [, , control] = linesOf({ name: 'x', label: 'X', hint: 'Hint' })
    assert.equal(control, '<input id="x" name="x" required  aria-describedby="x-hint">')
  })

  it('a form field with choices offers an empty choice first', () => {
    const choices = [
      { value: '"a"', label: '<a>', isChosen: false },
      { value: '1', label: 'one', isChosen: true },
    ]
    assert.deepEqual(linesOf({ name: 'x', label: 'X', choices }).slice(1), [
      '<select id="x" name="x" required ><option value=""></option>' +
        '<option value="&#34;a&#34;">&#60;a&#62;</option>' +
        '<option value="1" selected>one</option></select>',
    ])
  })

  it('an account page has a language, a heading and a service name; a 429 has Retry-After', () => {
    const page = {
      language: 'de',
      heading: 'Über <uns>',
      brand: createBrand({ issuer: 'https://auth.example/v1', appColor }),
      words: { terms: 'Terms', privacy: 'Privacy', error: 'Fehler:' },
      content: markup`<p>Text</p>`,
    } as const
    const { status, headers, body = '' } = pageAnswer(page)
    assert.equal(status, 200)
    assert.match(
      body,
      /^<!doctype html>\n<html lang="de">\n<head>\n<meta charset="utf-8">\n<meta name="viewport"/,
    )
    assert.match(
      body,
      /<title>Über &#60;uns&#62; – auth\.example<\/title>\n\n<style>[^<]+<\/style>\n/,
    )
    const [, main = ''] = /<main class="sheet">\n([^]*)\n<\/main>/.exec(body) ?? []
    assert.deepEqual(main.split('\n').filter(Boolean), [
      '<header>',
      '<h1>Über &#60;uns&#62;</h1>',
      '</header>',
      '<p>Text</p>',
    ])
    assert.match(body, /<a class="name" href="https:\/\/auth\.example\/">auth\.example<\/a>/)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(headers['content-language'], 'de')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
    assert.ok(!('retry-after' in headers))

    const later = pageAnswer({ ...page, hasFault: true, status: 429, retryAfterSeconds: 0 })
    assert.deepEqual([later.status, later.headers['retry-after']], [429, '0'])
    assert.match(later.body ?? '', /<title>Fehler: Über/)
    const forms = pageAnswer({ ...page, referrerPolicy: 'same-origin' })
    assert.equal(forms.headers['referrer-policy'], 'same-origin')
  })

  it('an account page allows exactly its own stylesheet, and images only with a logo', () => {
    const brand = createBrand(
      { issuer: 'https://auth.example', appColor },
      { css: '.x{color:red}' },
    )
    const words = { terms: 'Terms', privacy: 'Privacy', error: 'Error:' }
    const page = { language: 'en', heading: 'Hello', brand, words }
    const { headers, body = '' } = pageAnswer(page)
    const [, css = ''] = /<style>([^]*)<\/style>/.exec(body) ?? []
    const hash = createHash('sha256').update(css).digest('base64')
    assert.match(css, /^:root\{--accent:#7a1fa2;.*\.x\{color:red\}$/)
    assert.equal(
      headers['content-security-policy'],
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; ` +
        "frame-ancestors 'none'; base-uri 'none'",
    )
    const logo = { element: markup`<img src="/logo" alt="">`, path: '/logo' }
    const shown = pageAnswer({ ...page, brand: { ...brand, logo } })
    assert.match(shown.headers['content-security-policy'] ?? '', /; img-src 'self';/)
    assert.match(shown.body ?? '', /<link rel="icon" href="\/logo">/)
  })

  it('a page in a language that is read from right to left says so', () => {
    const brand = createBrand({ issuer: 'https://auth.example', appColor })
    const words = { terms: 'x', privacy: 'x', error: 'x' }
    const { body = '' } = pageAnswer({ language: 'ar', heading: 'x', brand, words })
    assert.match(body, /<html lang="ar" dir="rtl">/)
  })
})
