import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { languages, mailKinds, type MailTemplates } from './message.ts'
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
  language: 'en',
  templates: {},
}

describe('writeMail', () => {
  for (const language of languages)
    it(`each notice has a text in the language ${language}, with all its values`, async () => {
      const subjects = new Set<string>()
      for (const template of mailKinds) {
        const written = await writeMail({ ...mail, template }, { ...options, language })
        subjects.add(written.subject)
        assert.ok(written.subject.includes('auth.example.com'))
        assert.match(written.text, /25\D+(November|novembre|noviembre)\D+2026\D+12:00 UTC/)
        assert.equal(written.text.includes('192.0.2.7'), template !== 'account_disabled')
        assert.ok(written.html.includes(`<html lang="${language}">`))
        assert.doesNotMatch(written.text, /undefined|\bnull\b|http/)
        for (const paragraph of written.text.trim().split('\n\n'))
          assert.ok(written.html.includes(`<p>${paragraph}</p>`), paragraph)

        const anonymous = { ...mail, template, parameters: {} }
        assert.doesNotMatch((await writeMail(anonymous, { ...options, language })).text, /IP/)
      }
      assert.equal(subjects.size, mailKinds.length)
    })

  it('each language has its own texts', async () => {
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

  it('a template of the app gets the values of a notice and writes the mail', async () => {
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

  it('writeMail rejects if a template of the app returns no text', async () => {
    const templates = { password_changed: () => ({ subject: 'x', text: 'y' }) }
    await assert.rejects(
      writeMail(mail, { ...options, templates: templates as never }),
      /must return the strings subject, text and html/,
    )
  })

  it('writeMail rejects a mail whose template it does not know', () =>
    assert.rejects(writeMail({ ...mail, template: 'later' }, options), /must know the template/))
})
