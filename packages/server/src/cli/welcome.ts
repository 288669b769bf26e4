// What the server prints on the terminal when it has started.
import { createUserCommand } from '../features/pages/start-page/developers-page.ts'
import { describeSource } from '../storage/source.ts'
import type { Settings } from './settings.ts'

/**
 * Returns the text that the server prints when it starts: the URL, the database, the pages, the
 * documentation, and what to do next.
 */
export function welcome(issuer: string, settings: Settings, toCreateUsers: string): string {
  const { options, hosts, port } = settings
  const at = `http://${hostInUrl(hosts)}:${port}${new URL(issuer).pathname.replace(/\/$/, '')}`
  const docs = options.docs === 'on' ? `\nIts interactive documentation is at ${at}/docs` : ''
  // Not below the listening URL: behind a proxy, browsers accept the cookies and forms of the pages
  // only at the issuer.
  const root = issuer.replace(/\/$/, '')
  const pages = options.loginPages === 'on' ? `\nIts pages are at ${root}/` : ''
  const mails = options.mailUrl === 'console:' ? `\nIts mails are at ${at}/dev/mail` : ''
  const next = options.registration === 'open' ? tryOut(at, options) : toCreateUsers

  return `
Keystile listens on ${at}  (issuer ${issuer})
Its data is in ${describeSource(options.database)}${pages}${docs}${mails}

${next}
`
}

/** Returns the host that a URL names. With several, the server listens on `localhost`. */
function hostInUrl(hosts: Settings['hosts']): string {
  if (hosts.length > 1) return 'localhost'

  const [first = ''] = hosts
  return first.includes(':') ? `[${first}]` : first
}

/** Returns three commands for a shell, for a server with open registration. */
function tryOut(
  at: string,
  { emailVerification, mailUrl }: Pick<Settings['options'], 'emailVerification' | 'mailUrl'>,
): string {
  const password = 'an engine of her own'
  const user = `{"username": "ada", "email": "ada@example.com", "password": "${password}"}`
  const extractToken = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`

  const where = mailUrl === 'console:' ? `at ${at}/dev/mail` : '(register with an address of yours)'
  const confirm =
    emailVerification === 'required'
      ? `\n  # Now open the link in the mail ${where}, and enter the password.`
      : ''

  return `Register, log in, and see who you are:

  curl -s ${at}/users -H 'content-type: application/json' -d '${user}'${confirm}
  TOKEN=$(curl -s ${at}/token -d username=ada -d 'password=${password}' | ${extractToken})
  curl -s ${at}/users/me -H "authorization: Bearer $TOKEN"`
}

/** Returns the command that creates accounts, for a server with closed registration. */
export function howToCreateUsers(program: string, hasAdministrator: boolean): string {
  return `Registration is closed. Create ${hasAdministrator ? 'a user' : 'the first administrator'}:

  ${createUserCommand(program, hasAdministrator)}

Run it with the settings of this server: the same environment, flags and files. It asks for the
password.`
}
