import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { markup } from './html.ts'
import { fieldOf, pageAnswer, type Field } from './layout.ts'

/** Returns the lines of a field that are not empty. */
const linesOf = (field: Field): readonly string[] =>
  fieldOf(field)
    .text.split('\n')
    .filter((line) => line !== '')

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
      service: 'auth.example',
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
      /<title>Über &#60;uns&#62; – auth\.example<\/title>\n<style>[^<]+<\/style>\n/,
    )
    const [, main] = /<main>\n([^]*)\n<\/main>/.exec(body) ?? []
    assert.equal(main, '<p>auth.example</p>\n<h1>Über &#60;uns&#62;</h1>\n<p>Text</p>')
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(headers['content-language'], 'de')
    assert.ok(!('retry-after' in headers))
    const later = pageAnswer({ ...page, status: 429, retryAfterSeconds: 0 })
    assert.deepEqual([later.status, later.headers['retry-after']], [429, '0'])
  })
})
