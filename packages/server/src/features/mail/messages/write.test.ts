import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contrastOf } from '../../../pages/accent.ts'
import { createBrand } from '../../../pages/brand.ts'
import { markup } from '../../../pages/html.ts'
import {
  codeMailKinds,
  languages,
  noticeKinds,
  proofMailKinds,
  type MailTemplates,
} from './message.ts'
import { writeMail, type WritingOptions } from './write.ts'

const mail = {
  id: '01',
  template: 'password_changed',
  subject: 'user-1',
  recipient: 'ada@example.com',
  parameters: { address: '192.0.2.7' },
  createdAt: new Date(Date.UTC(2026, 10, 25, 12)),
} as const
const options: WritingOptions = {
  from: 'no-reply@example.com',
  issuer: 'https://auth.example.com/v1',
  brand: createBrand({ issuer: 'https://auth.example.com/v1', appColor: '#7a1fa2' }),
  language: 'en',
  templates: {},
}

/** Asserts that a text contains each word of another text. */
function assertHasWords(text: string, part: string): void {
  for (const word of part.match(/[\p{L}\d]+/gu) ?? []) assert.ok(text.includes(word), word)
}

const linkOnlyKinds: readonly string[] = ['email_changed', 'first_factor_added', 'invitation']

describe('writeMail', () => {
  for (const language of languages)
    it(`in the language ${language}, each notice shows the time and the service name`, async () => {
      const subjects = new Set<string>()
      for (const template of noticeKinds) {
        const written = await writeMail({ ...mail, template }, { ...options, language })
        subjects.add(written.subject)
        assert.ok(written.subject.includes('auth.example.com'))
        assert.match(written.text, /25\D+(November|novembre|noviembre)\D+2026\D+12:00 UTC/)
        const hasAddress = [
          'password_changed',
          'new_device',
          'factor_added',
          'recovery_code_used',
          'factor_guessed',
        ].includes(template)
        assert.equal(written.text.includes('192.0.2.7'), hasAddress)
        assert.ok(written.html.includes(`<html lang="${language}">`))
        assert.doesNotMatch(written.text, /undefined|\bnull\b|http|\n |  /)
        for (const paragraph of written.text.trim().split('\n\n'))
          assert.ok(written.html.includes(`">${paragraph}</p>\n`), paragraph)

        const anonymous = { ...mail, template, parameters: {} }
        const { text } = await writeMail(anonymous, { ...options, language })
        assert.doesNotMatch(text, /IP/)
        assertHasWords(written.text, text)
      }
      assert.equal(subjects.size, noticeKinds.length)
    })

  it('a mail about a change is in the language of the request, then in that of the setting', async () => {
    const parameters = { link: 'https://auth.example.com/undo', expires_at: '2026-12-02T12:00:00Z' }
    for (const template of [
      ...noticeKinds,
      ...codeMailKinds,
      'email_changed',
      'first_factor_added',
    ]) {
      const write = (language: string): ReturnType<typeof writeMail> =>
        writeMail({ ...mail, template, parameters: { ...parameters, language } }, options)
      const [both, own] = [await write('de'), await write('en')]
      const german = await writeMail(
        { ...mail, template, parameters },
        { ...options, language: 'de' },
      )
      assert.equal(both.subject, `${german.subject} / ${own.subject}`)
      assert.equal(both.text, `${german.text.trim()}\n\n---\n\n${own.text}`)
      assert.match(both.html, /<html lang="de">[^]*<hr style="[^"]*">\n<div lang="en">[^]*<\/div>/)
      assert.doesNotMatch(own.html, /<hr|<div/)
    }
  })

  for (const language of languages)
    it(`in the language ${language}, a mail with a link shows link, code and expiry`, async () => {
      const link = 'https://auth.example.com/v1/account/reset-password?token=a&b'
      const expires_at = new Date(Date.UTC(2026, 10, 25, 12, 15)).toISOString()
      for (const template of proofMailKinds) {
        const parameters = { link, code: '12345678', expires_at, language }
        const { subject, text, html } = await writeMail({ ...mail, template, parameters }, options)
        assert.ok(subject.includes('auth.example.com'))
        assert.ok(text.includes(`\n\n${link}\n\n`))
        const hasCode = !linkOnlyKinds.includes(template)
        assert.equal(text.includes('\n\n1234 5678\n\n'), hasCode)
        assert.equal(/\bc[oó]d(e|igo)\b/i.test(text), hasCode, text)
        assert.match(text, /\b15\sminut\w*/i)
        assert.match(text, /25\D+(November|novembre|noviembre)\D+2026\D+12:15 UTC/)
        assert.ok(html.includes(`<html lang="${language}">`))
        assert.equal(html.includes('<strong>1234 5678</strong>'), hasCode)
        assert.match(html, /<a class="on" href="[^"]+token=a&#38;b"/)
        assert.match(html, /<a class="link" href="[^"]+token=a&#38;b"/)
        assert.doesNotMatch(html, /<img|src=|url\(|@import|<script/)
        assert.doesNotMatch(text, /undefined|\bnull\b/)

        const linkOnly = { link, expires_at, language }
        const alone = await writeMail({ ...mail, template, parameters: linkOnly }, options)
        assert.doesNotMatch(alone.text, /1234|:\n\n\n|\bc[oó]d(e|igo)\b/i)
      }
    })

  for (const language of languages)
    it(`in the language ${language}, a mail with a code shows code and expiry, and no link`, async () => {
      const expires_at = new Date(Date.UTC(2026, 10, 25, 12, 10)).toISOString()
      for (const template of codeMailKinds) {
        const parameters = { code: '12345678', expires_at, language }
        const sent = { ...mail, template, parameters }
        const { subject, text, html } = await writeMail(sent, { ...options, language })
        assert.ok(subject.includes('auth.example.com'))
        assert.ok(text.includes('\n\n1234 5678\n\n'))
        assert.match(text, /\b10\sminut\w*/i)
        assert.match(text, /25\D+(November|novembre|noviembre)\D+2026\D+12:10 UTC/)
        assert.ok(html.includes('<strong>1234 5678</strong>'))
        assert.doesNotMatch(text + html, /undefined|\bnull\b|http|<a /)
      }
    })

  it('a template of the app gets the code and the time of expiry', async () => {
    const seen: unknown[] = []
    const templates: MailTemplates = {
      enrolment_code(values) {
        seen.push(values)
        return { subject: 's', text: 't', html: 'h' }
      },
    }
    const expires_at = '2026-11-25T12:10:00.000Z'
    const sent = {
      ...mail,
      template: 'enrolment_code',
      parameters: { code: '12345678', expires_at },
    }
    assert.equal((await writeMail(sent, { ...options, templates })).text, 't')
    const { subject, createdAt: at } = mail
    const known = { subject, service: 'auth.example.com', at, language: 'en' }
    assert.deepEqual(seen, [{ ...known, code: '12345678', expiresAt: new Date(expires_at) }])
  })

  it('a mail shows a time in the format of its language', async () => {
    for (const [language, time] of [
      ['en', '25 November 2026 at 12:00 UTC'],
      ['de', '25. November 2026 um 12:00 UTC'],
    ] as const)
      assert.ok((await writeMail(mail, { ...options, language })).text.includes(time), language)
  })

  it('the lifetime of a link is written in minutes, hours or days', async () => {
    for (const [minutes, lifetime] of [
      [0, '1 minute'],
      [119, '119 minutes'],
      [120, '2 hours'],
      [2_879, '48 hours'],
      [2_880, '2 days'],
    ] as const) {
      const expires_at = new Date(mail.createdAt.getTime() + minutes * 60_000).toISOString()
      const parameters = { link: 'https://app.example', code: '12345678', expires_at }
      const sent = { ...mail, template: 'password_reset', parameters }
      const { text } = await writeMail(sent, options)
      assert.match(text, new RegExp(`\\b${lifetime}\\b`))
    }
  })

  it('a mail shows a code of seven or nine digits without a space in it', async () => {
    for (const code of ['1234567', '123456789']) {
      const parameters = { link: 'https://app.example', code, expires_at: '2026-11-25T12:15:00Z' }
      const { text } = await writeMail({ ...mail, template: 'password_reset', parameters }, options)
      assert.ok(text.includes(`\n${code}\n`))
    }
  })

  it('a mail has the header Auto-Submitted: auto-generated (RFC 3834 §5)', async () => {
    assert.deepEqual((await writeMail(mail, options)).headers, {
      'Auto-Submitted': 'auto-generated',
    })
  })

  it('a template of the app gets the link, the code and the time of expiry', async () => {
    const seen: unknown[] = []
    const templates: MailTemplates = {
      password_reset(values) {
        seen.push(values)
        return { subject: 'Reset', text: 'text', html: '<p>html</p>' }
      },
    }
    const parameters = {
      link: 'https://app.example',
      code: '12345678',
      expires_at: '2026-11-25T12:15:00.000Z',
      language: '',
    }
    await writeMail({ ...mail, template: 'password_reset', parameters }, { ...options, templates })
    assert.deepEqual(seen, [
      {
        subject: 'user-1',
        service: 'auth.example.com',
        at: mail.createdAt,
        link: 'https://app.example',
        code: '12345678',
        expiresAt: new Date(Date.UTC(2026, 10, 25, 12, 15)),
        language: 'en',
      },
    ])
  })

  it('writeMail writes a different text in each language', async () => {
    const texts = languages.map(async (language) => {
      const { text } = await writeMail(mail, { ...options, language })
      return text
    })
    assert.equal(new Set(await Promise.all(texts)).size, languages.length)
  })

  it('the Message-ID of a mail contains its row id and the host of the issuer', async () => {
    assert.equal((await writeMail(mail, options)).messageId, '<01@auth.example.com>')
    const ipv6 = { ...options, issuer: 'http://[::1]:8000' }
    assert.equal((await writeMail(mail, ipv6)).messageId, '<01@--1>')
  })

  it('an app’s template gets the values of a notice and returns the mail', async () => {
    const seen: unknown[] = []
    const templates: MailTemplates = {
      async password_changed(notice) {
        seen.push(notice)
        return { subject: 'Changed', text: 'text', html: '<p>html</p>' }
      },
    }
    const written = await writeMail(mail, { ...options, templates })
    assert.deepEqual(
      [written.subject, written.text, written.html, written.to],
      ['Changed', 'text', '<p>html</p>', 'ada@example.com'],
    )
    assert.deepEqual(seen, [
      {
        subject: 'user-1',
        service: 'auth.example.com',
        at: mail.createdAt,
        address: '192.0.2.7',
        language: 'en',
      },
    ])
    const other = await writeMail({ ...mail, template: 'new_device' }, { ...options, templates })
    assert.match(other.subject, /^New login/)
  })

  it('writeMail rejects if an app’s template omits subject, text or html', async () => {
    const templates = { password_changed: () => ({ subject: 'x', text: 'y' }) }
    await assert.rejects(
      writeMail(mail, { ...options, templates: templates as never }),
      /must return the strings `subject`, `text` and `html`/,
    )
  })

  it('writeMail rejects a mail with an unknown template', () =>
    assert.rejects(
      writeMail({ ...mail, template: 'later' }, options),
      /does not know the template/,
    ))

  const link = 'https://auth.example.com/x?token=a'
  const reset = {
    ...mail,
    template: 'password_reset',
    parameters: { link, code: '12345678', expires_at: '2026-11-25T12:15:00Z' },
  }

  it('a mail has the name and the colour of the app, and a button with the link', async () => {
    const { issuer } = options
    const brand = createBrand({ issuer, appName: 'Acme Shop', appColor: '#f5c400' })
    const { subject, text, html, attachments } = await writeMail(reset, { ...options, brand })
    assert.equal(subject, 'Set a new password for Acme Shop')
    assert.match(text, /requested for your account at Acme Shop\./)
    assert.match(html, /<td class="field" bgcolor="#f5c400"[^>]*color:#000000">Acme Shop<\/td>/)
    assert.match(html, /<td class="act" bgcolor="#f5c400"[^]*>Set a new password<\/a>/)
    assert.match(html, /If the button does not work, open this address:<br>/)
    assert.equal(attachments, undefined)
  })

  it('in the dark scheme, the name of the app and the button are readable in each colour', async () => {
    const { issuer } = options
    for (const appColor of ['#f5c400', '#7a1fa2', '#ffffff', '#000000']) {
      const brand = createBrand({ issuer, appColor })
      const { html } = await writeMail(reset, { ...options, brand })
      const [, dark = ''] = html.split('(prefers-color-scheme:dark)')
      const colorOf = (name: string, property: string): string =>
        new RegExp(`\\.${name}\\{(?:[^}]*;)?${property}:(#\\w{6})!important`).exec(dark)?.[1] ?? ''
      for (const [ground, text] of [
        ['field', 'field'],
        ['act', 'on'],
      ] as const) {
        const contrast = contrastOf(colorOf(text, 'color'), colorOf(ground, 'background'))
        assert.ok(contrast >= 4.5, `${appColor}: ${text} on ${ground} has ${contrast}`)
      }
    }
  })

  it('a mail carries a PNG logo itself, and shows no logo of another format', async () => {
    const { issuer } = options
    const element = markup``
    const settings = { issuer, appColor: '#7a1fa2' }
    const png = Buffer.from('png')
    const brand = createBrand(settings, { logo: { element, path: '/logo', png } })
    const { html, attachments } = await writeMail(reset, { ...options, brand })
    const [{ cid, ...file } = { cid: '' }, ...others] = attachments ?? []
    assert.deepEqual(file, {
      filename: 'logo.png',
      contentType: 'image/png',
      content: png.toString('base64'),
      encoding: 'base64',
      contentDisposition: 'inline',
    })
    assert.deepEqual(others, [])
    assert.deepEqual(html.match(/src="[^"]*"/g), [`src="cid:${cid}"`])

    const svg = createBrand(settings, { logo: { element, path: '/logo' } })
    const without = await writeMail(reset, { ...options, brand: svg })
    assert.deepEqual([without.attachments, without.html.includes('<img')], [undefined, false])
  })

  it('a mail escapes the name of the app, the link and the address', async () => {
    const attack = `'"><script>alert(1)</script>&`
    const { issuer } = options
    const brand = createBrand({ issuer, appName: attack, appColor: '#7a1fa2' })
    const parameters = {
      link: attack,
      code: attack,
      address: attack,
      expires_at: reset.parameters.expires_at,
    }
    for (const template of [...noticeKinds, ...proofMailKinds, ...codeMailKinds]) {
      const { html } = await writeMail({ ...mail, template, parameters }, { ...options, brand })
      assert.doesNotMatch(html, /<script|"">|&(?!#\d+;)/, template)
      assert.match(html, /<title>[^<]*'&#34;&#62;&#60;script&#62;/)
    }
  })
})
