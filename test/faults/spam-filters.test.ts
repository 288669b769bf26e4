// Every mail in every language, with the name, colour and logo of an app, passes two spam filters,
// with the rules that they have without asking other machines. Both are Debian's, in an overlay, so
// the test must run as root.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import { startMailServer } from '../../packages/server/test-support/mail-server.ts'
import { runInOverlay, whyNoOverlay } from '../support/in-overlay.ts'
import { sendAllMails } from './mail-servers/send-all-mails.ts'

const packages = ['spamassassin', 'rspamd']
const reason = process.env['KEYSTILE_LONG'] ? whyNoOverlay(...packages) : undefined
const skip = process.env['KEYSTILE_LONG'] ? (reason ?? false) : 'KEYSTILE_LONG=1 runs it'
if (reason) console.error(`\n*** No spam filter rates the mails: ${reason}. ***\n`)
if (reason && process.env['CI'] === 'true') throw new Error(`${reason}, and CI=true`)

/** A text that every spam filter must recognise, to see that the filters work. */
const gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'

it('no mail in any language looks like spam to SpamAssassin or rspamd', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-spam-'))
  const server = await startMailServer()
  try {
    const appLogoFile = join(folder, 'logo.png')
    writeFileSync(appLogoFile, drawLogo())
    const look = { appName: 'Acme Shop', appColor: '#7a1fa2', appLogoFile }
    const mails = await sendAllMails(server.url, look)
    const raws = new Map(server.mails.map(({ parsed, raw }) => [parsed.messageId, raw]))
    mkdirSync(join(folder, 'in'))
    for (const { kind, language, message } of mails) {
      const raw = raws.get(message.messageId) ?? ''
      assert.match(raw, /Acme Shop[^]*Content-Type: image\/png/)
      writeFileSync(join(folder, 'in', `${kind}-${language}`), received(raw, message.date))
    }
    writeFileSync(join(folder, 'in/gtube'), `Subject: test\r\n\r\n${gtube}\r\n`)
    const script = join(import.meta.dirname, 'mail-servers/spam.sh')
    await runInOverlay({ folder, packages, script, args: [] })

    const read = (name: string, pattern: RegExp): ReadonlyMap<string, number> =>
      new Map(
        readFileSync(join(folder, name), 'utf8')
          .trim()
          .split('\n')
          .map((line) => [line.split(' ')[0] ?? '', Number(pattern.exec(line)?.[1])]),
      )
    for (const [filter, pattern, limit] of [
      ['spamassassin', /score=(-?[\d.]+)/, 5],
      // From 4 points on, rspamd delays a mail.
      ['rspamd', /Score: (-?[\d.]+)/, 4],
    ] as const) {
      const scores = read(filter, pattern)
      assert.ok((scores.get('gtube') ?? 0) > limit, `${filter} must recognise spam`)
      const all = mails.map(({ kind, language }) => scores.get(`${kind}-${language}`) ?? NaN)
      const most = Math.max(...all)
      const { kind, language } = mails[all.indexOf(most)] ?? {}
      t.diagnostic(`${filter}: ${all.length} mails, at most ${most} of ${limit} points`)
      t.diagnostic(`the most for ${kind} in ${language}`)
      for (const [name, score] of scores)
        if (name !== 'gtube')
          assert.ok(score < limit, `${name}: ${readFileSync(join(folder, filter), 'utf8')}`)
      assert.ok(all.every(Number.isFinite))
    }
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Returns a PNG of 64 by 64 grey pixels. */
function drawLogo(): Buffer {
  const header = Buffer.from([0, 0, 0, 64, 0, 0, 0, 64, 8, 0, 0, 0, 0])
  const rows = deflateSync(Buffer.alloc(64 * 65, 0x80).map((byte, at) => (at % 65 ? byte : 0)))
  const chunks = [
    ['IHDR', header],
    ['IDAT', rows],
    ['IEND', Buffer.alloc(0)],
  ] as const
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const written = chunks.map(([name, data]) => {
    const [body, ends] = [Buffer.concat([Buffer.from(name), data]), Buffer.alloc(8)]
    ends.writeUInt32BE(data.length)
    ends.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
  })
  return Buffer.concat([start, ...written])
}

/** Returns a mail as a mail server of its recipient has received it. */
function received(raw: string, date: Date): string {
  const stamp = date.toUTCString().replace('GMT', '+0000')
  return (
    'Return-Path: <no-reply@example.com>\r\n' +
    'Received: from mail.example.com (mail.example.com [203.0.113.5])\r\n' +
    `\tby mx.example.org with ESMTPS id 1; ${stamp}\r\n${raw}`
  )
}
