// The settings of mail.
import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings } from '../../../feature/setting.ts'
import { show } from '../../../feature/shown-value.ts'
import { parseList } from '../../../feature/values.ts'
import { findKeyFaults, isSelector } from './dkim.ts'
import {
  languages,
  mailKinds,
  optionalNotices,
  type Language,
  type MailMessage,
  type MailTemplates,
  type OptionalNotice,
} from './message.ts'
import { rules, type MailRuleOptions } from './rules.ts'
import { parseSender, senderExample } from './sender-address.ts'
import {
  findMissingEmailFunction,
  findMissingFunction,
  findMissingSetting,
  findPagesFaults,
  findUrlFaults,
} from './setting-faults.ts'

export interface AppMail {
  /** The sender, such as `Example <no-reply@example.com>`. */
  readonly from: string
  /**
   * Sends a mail, for example with `transport.sendMail(message)` of nodemailer. The promise must
   * resolve only after a mail server has accepted the mail, because Keystile then deletes the mail.
   * If the promise rejects, or takes longer than a minute, Keystile tries again later. An error
   * with a `responseCode` from 500 to 599 means that the server has refused the mail for good. The
   * signal aborts when Keystile gives up.
   */
  send(message: MailMessage, options: { readonly signal: AbortSignal }): unknown
  /** The app's own functions that write mails, instead of Keystile's texts. */
  readonly templates?: MailTemplates | undefined
}

export interface MailOptions {
  /**
   * How the app sends the mails itself, instead of through `mailUrl`. Without `mail` and `mailUrl`,
   * no mails are sent.
   */
  readonly mail?: AppMail
  /**
   * The mail server: a URL such as `smtp://user:password@mail.example.com:587`, or `smtps:` for TLS
   * from the start. `console:` sends nothing and shows the mails at `/dev/mail`, for development.
   * A mail server requires `mailFrom`. Default: no mails are sent.
   */
  readonly mailUrl?: string
  /** The sender of the mails, such as `Example <no-reply@example.com>`. Requires `mailUrl`. */
  readonly mailFrom?: string
  /**
   * The private RSA key that signs the mails (DKIM, RFC 6376), as PEM. The signature names the
   * domain of `mailFrom`, and the DNS of this domain must have the public key. Requires `mailUrl`.
   * Default: Keystile does not sign the mails; the mail server may sign them.
   */
  readonly mailDkimKey?: string
  /** The name of the DKIM key in the DNS: `SELECTOR._domainkey.DOMAIN`. Default: `keystile`. */
  readonly mailDkimSelector?: string
  /** The language of the mails. Default: `en`. */
  readonly mailLanguage?: Language
  /**
   * The notices that Keystile does not send: `new_device`, `password_changed`, `account_disabled`,
   * `account_deleted`, `email_removed`. Default: none, so all notices are sent.
   */
  readonly disabledNotices?: readonly OptionalNotice[]
  /**
   * The app's own pages for the links in mails, such as `https://app.example/account`. A link is
   * this URL followed by `/` and the name of the page, such as `/reset-password?token=…`. Default:
   * pages of Keystile, below the issuer.
   */
  readonly accountPagesUrl?: string
}

const noticeNames = optionalNotices.join(', ')
const mustBeString = { error: 'must be a string' }

const settings = listSettings<MailOptions>({
  mail: {
    name: 'mail',
    takenBy: 'app',
    schema: z.custom<AppMail>(isAppMail, {
      error:
        'must be an object with the string from, the function send, and functions as templates; ' +
        `the templates are ${mailKinds.join(', ')}`,
    }),
    defaultText: 'no mails are sent',
    help: 'the sender, and the function that sends a mail, if the app sends the mails itself',
    findFaults: ({ from }, { values }, say) => [
      ...findMissingEmailFunction(values),
      ...(parseSender(from) ? [] : [`must have an address as from, such as ${senderExample}`]),
      ...(values['mailUrl'] === undefined
        ? []
        : [`must not be given together with ${say.name('mailUrl')}`]),
    ],
  },
  mailUrl: {
    name: 'mailUrl',
    takenBy: 'both',
    schema: z.string(mustBeString),
    defaultText: 'no mails are sent',
    help: 'the mail server, as an smtp: or smtps: URL; "console:" shows mails at /dev/mail instead',
    environment: ['KEYSTILE_MAIL_URL'],
    flag: false, // every user of the machine can read the arguments of a process
    isSecret: true,
    holdsSecret: (url) => !URL.canParse(url) || new URL(url).password !== '',
    findFaults: (url, others, say) => [
      ...findMissingEmailFunction(others.values),
      ...findUrlFaults(url),
      ...(url === 'console:' ? [] : findMissingSetting('mailFrom', others, say)),
    ],
  },
  mailFrom: {
    name: 'mailFrom',
    takenBy: 'both',
    schema: z.string(mustBeString),
    defaultText: 'none; required with a mail server',
    help: 'the sender of the mails, such as Example <no-reply@example.com>',
    environment: ['KEYSTILE_MAIL_FROM'],
    findFaults: (from, others, say) => [
      ...(parseSender(from)
        ? []
        : [`must be an address such as ${senderExample}; it is ${show(from)}`]),
      ...findMissingSetting('mailUrl', others, say),
    ],
  },
  mailDkimKey: {
    name: 'mailDkimKey',
    takenBy: 'both',
    schema: z.string(mustBeString),
    defaultText: 'no signature',
    help: 'the private RSA key that signs the mails (DKIM), as PEM',
    environment: ['KEYSTILE_MAIL_DKIM_KEY'],
    flag: false, // every user of the machine can read the arguments of a process
    isSecret: true,
    findFaults: (pem, others, say) => [
      ...findKeyFaults(pem),
      ...findMissingSetting('mailUrl', others, say),
    ],
  },
  mailDkimSelector: {
    name: 'mailDkimSelector',
    takenBy: 'both',
    schema: z.string(mustBeString),
    default: 'keystile',
    help: 'the name of the DKIM key in the DNS: SELECTOR._domainkey.DOMAIN',
    environment: ['KEYSTILE_MAIL_DKIM_SELECTOR'],
    findFaults: (selector) =>
      isSelector(selector)
        ? []
        : [`must be letters, digits, hyphens and dots; it is ${show(selector)}`],
  },
  mailLanguage: {
    name: 'mailLanguage',
    takenBy: 'both',
    schema: z.enum(languages, { error: `must be one of ${languages.join(', ')}` }),
    default: 'en',
    help: `the language of the mails: ${languages.join(', ')}`,
    environment: ['KEYSTILE_MAIL_LANGUAGE'],
  },
  disabledNotices: {
    name: 'disabledNotices',
    takenBy: 'both',
    schema: z.array(z.enum(optionalNotices, { error: `must be one of ${noticeNames}` }), {
      error: `must be a list with some of ${noticeNames}`,
    }),
    default: [],
    help: `notices that are not sent: ${noticeNames}; separated by commas`,
    environment: ['KEYSTILE_DISABLED_NOTICES'],
    // The schema checks the names.
    parse: (text) => parseList(text) as readonly OptionalNotice[],
  },
  accountPagesUrl: {
    name: 'accountPagesUrl',
    takenBy: 'both',
    schema: z.string(mustBeString),
    defaultText: 'pages of Keystile, at ISSUER/account',
    help:
      "the URL of the app's own account pages, such as https://app.example/account, " +
      'if mails must link to these pages',
    environment: ['KEYSTILE_ACCOUNT_PAGES_URL'],
    findFaults: (url, { values }) => [
      ...findMissingFunction('setPassword', values, 'without it no mail has a link'),
      ...findPagesFaults(url),
    ],
  },
})

/** How mails are sent and written: the mail server or the app, the sender, the language. */
export const feature: Feature<MailOptions, never, MailRuleOptions> = {
  name: 'messages',
  settings,
  rules,
}

function isAppMail(value: unknown): value is AppMail {
  const { from, send, templates = {} } = (value ?? {}) as Partial<Record<keyof AppMail, unknown>>
  return (
    typeof value === 'object' &&
    typeof from === 'string' &&
    typeof send === 'function' &&
    typeof templates === 'object' &&
    Object.entries(templates ?? {}).every(
      ([name, template]) =>
        mailKinds.some((kind) => kind === name) &&
        (template === undefined || typeof template === 'function'),
    )
  )
}
