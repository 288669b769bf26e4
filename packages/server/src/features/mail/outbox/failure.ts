// Why a mail was not sent: a code for the log, whether another try is useful, and what the operator
// can do. The app or nodemailer has thrown the error.

export interface MailFailure {
  /** A code for logs and `keystile mail list`. It never contains a text from the mail server. */
  readonly code: string
  /** Whether the mail server refused this mail for good, so that another try is useless. */
  readonly isPermanent: boolean
}

/**
 * Returns why a mail was not sent, from the error of `send()`. It reads the members of nodemailer's
 * errors: `responseCode` is the reply of the mail server, and `code` names the step that failed or
 * the error of the connection.
 *
 * A reply from 500 to 599 is permanent if it is about this mail (RFC 5321 §4.2.1). A reply about
 * the connection or the login (RFC 4954 §6) is not permanent: the settings are wrong, and the mails
 * must wait until the settings are corrected.
 */
export function failureOf(error: unknown): MailFailure {
  if (typeof error !== 'object' || error === null) return { code: 'error', isPermanent: false }

  const responseCode: unknown = Reflect.get(error, 'responseCode')
  // nodemailer replaces the codes of the system by ESOCKET.
  const given: unknown = Reflect.get(error, 'code')
  const original: unknown = Reflect.get(error, 'originalCode')
  const code = given === 'ESOCKET' && original !== undefined ? original : given

  if (typeof responseCode === 'number' && responseCode >= 400 && responseCode < 600) {
    const isAboutMail = code === undefined || code === 'EENVELOPE' || code === 'EMESSAGE'
    const isAboutLogin = responseCode >= 530 && responseCode < 540
    const isPermanent = responseCode >= 500 && isAboutMail && !isAboutLogin
    return { code: `smtp_${Math.trunc(responseCode)}`, isPermanent }
  }

  if (error instanceof DOMException && error.name === 'TimeoutError')
    return { code: 'timeout', isPermanent: false }

  const isCode = typeof code === 'string' && /^[A-Z][A-Z_]{1,30}$/.test(code)
  return { code: isCode ? code : 'error', isPermanent: false }
}

interface Explanation {
  readonly cause: string
  readonly fix: string
}

/** Says what the code of a failure means, and what to do. The first entry that matches counts. */
export function explainFailure(code: string): Explanation {
  const { cause, fix } = explanations.find(({ codes }) => codes.test(code)) ?? otherFailure
  return { cause, fix }
}

const explanations: readonly (Explanation & { readonly codes: RegExp })[] = [
  {
    codes: /^(EAUTH|ENOAUTH|smtp_53\d)$/,
    cause: 'the mail server refuses the login',
    fix: 'correct the user and the password in the URL of the mail server',
  },
  {
    codes: /^ETLS$/,
    cause: 'the mail server offers no STARTTLS',
    fix:
      'switch it on at the mail server, or begin the URL with smtps: if the port expects TLS ' +
      'at once',
  },
  {
    codes: /^ERR_SSL/,
    cause: 'TLS fails at this port',
    fix:
      'begin the URL with smtps: if the port expects TLS at once (465), otherwise with ' +
      'smtp: (587)',
  },
  {
    codes: /CERT|SELF_SIGNED|^UNABLE_TO|^ERR_TLS/,
    cause: 'the certificate of the mail server is not valid for its host',
    fix: 'give the mail server a valid certificate for the host in its URL',
  },
  {
    codes: /^(EDNS|ENOTFOUND|EAI_AGAIN)$/,
    cause: 'the host is unknown',
    fix: 'correct the host in the URL',
  },
  {
    codes: /^ECONNREFUSED$/,
    cause: 'the mail server does not run at this host and port',
    fix: 'start the mail server, or correct host and port in the URL',
  },
  {
    codes: /^(E?TIMEDOUT|timeout|EHOSTUNREACH|ENETUNREACH)$/,
    cause: 'the mail server does not answer',
    fix:
      'let a firewall pass the connection, or correct host and port in the URL; ' +
      'port 465 needs smtps:',
  },
  {
    codes: /^(ESOCKET|ECONN[A-Z]+|EPIPE)$/,
    cause: 'the mail server ends the connection',
    fix: 'look for the reason in the log of the mail server',
  },
  {
    codes: /^unreadable$/,
    cause: 'the key of Keystile was changed while the mail waited',
    fix: 'set the former key, or let the user ask for a new mail',
  },
  {
    codes: /^smtp_/,
    cause: 'the mail server refuses mails',
    fix: 'look for the reason in the log of the mail server',
  },
]

const otherFailure: Explanation = {
  cause: 'the mail could not be written or sent',
  fix: 'look for errors in the function send and the templates of the app',
}
