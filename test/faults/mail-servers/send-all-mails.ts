// Every mail in every language, from the outbox of a Keystile to a mail server.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import {
  insertStatement,
  prepareAllMails,
  type PreparedMail,
} from '../../../packages/server/test-support/all-mails.ts'
import { key, startKeystile } from '../../../packages/server/test-support/keystile.ts'

const issuer = 'https://auth.example.com'
const mailFrom = 'Example <no-reply@example.com>'
const mailDkimKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
})

/** The settings of a Keystile that sends signed mails. */
export const mailSettings = {
  issuer,
  registration: 'closed',
  trustedProxies: [],
  mailFrom,
  mailDkimKey,
} as const

/** The public key, and the name of its record, for verify_dkim.py. */
export const dkimRecord = [
  createPublicKey(mailDkimKey).export({ type: 'spki', format: 'der' }).toString('base64'),
  'keystile._domainkey.example.com',
] as const

/** The look of the mails. The messages that `sendAllMails` returns do not have it. */
export interface MailLook {
  readonly appName: string
  readonly appColor: string
  readonly appLogoFile: string
}

/** Sends all mails and returns them, as soon as the mail server has accepted them. */
export async function sendAllMails(
  mailUrl: string,
  look?: MailLook,
): Promise<readonly PreparedMail[]> {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-all-mails-'))
  const at = new Date(Math.floor(Date.now() / 1000) * 1000)
  const mails = await prepareAllMails({ from: mailFrom, issuer, key, at })
  try {
    for (const language of new Set(mails.map((mail) => mail.language))) {
      const database = join(folder, `${language}.db`)
      const { keystile } = await startKeystile({
        ...mailSettings,
        ...look,
        database,
        mailUrl,
        mailLanguage: language,
      })
      const sqlite = new DatabaseSync(database, { timeout: 60_000 })
      for (const mail of mails) if (mail.language === language) sqlite.exec(insertStatement(mail))
      for (const waiting = sqlite.prepare('select failure from mail'); waiting.get();) {
        const { failure } = waiting.get() ?? {}
        if (failure != null)
          throw new Error(`a mail must be accepted; it failed: ${String(failure)}`)
        await delay(20)
      }
      sqlite.close()
      await keystile.close()
    }
    return mails
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
