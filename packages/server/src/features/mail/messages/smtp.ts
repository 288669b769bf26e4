import { isLoopback } from '../../../base/this-machine.ts'
import type { MailServerFacts } from '../../../feature/situation.ts'
import { explainFailure, failureOf } from '../outbox/failure.ts'
import type { DkimSigner } from './dkim.ts'
import { readMailUrl, type MailServer } from './mail-url.ts'
import type { MailTransport } from './transport.ts'

/** How long to wait for a connection and for the first line of the server. */
const connectMilliseconds = 10_000
/** How long to wait for each further reply. */
const replyMilliseconds = 30_000
const maxConnections = 5

/**
 * Creates the transport to a mail server. The transport keeps up to 5 connections open.
 *
 * `verify` connects and logs in, but sends nothing.
 *
 * @param dkim the signer of the mails. Without a signer, the mails are not signed
 */
export async function createSmtp(
  server: Extract<MailServer, { kind: 'smtp' }>,
  dkim?: DkimSigner,
): Promise<MailTransport & { verify(): Promise<void> }> {
  const { host, port, isSecure, requiresTls, login } = server
  // Loaded only here, because most servers send no mail.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    pool: true,
    maxConnections,
    // The outbox decides about another try. The pool's own tries would send extra copies.
    maxRequeues: 0,
    host,
    port,
    secure: isSecure,
    requireTLS: requiresTls,
    // A server on this machine has no certificate for localhost, and needs none.
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: !isLoopback(host) },
    ...(dkim && {
      dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.key },
    }),
    ...(login && { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: connectMilliseconds,
    greetingTimeout: connectMilliseconds,
    socketTimeout: replyMilliseconds,
    // A template must not be able to attach files or URLs.
    disableFileAccess: true,
    disableUrlAccess: true,
  })

  return {
    server: { host, port },
    async verify() {
      await transport.verify()
    },
    async send(message, signal) {
      await transport.sendMail({ ...message, signal })
    },
    close: () => transport.close({ force: true }),
  }
}

/** Connects to the mail server of a URL and logs in. Undefined if the URL names none. */
export async function inspectMailServer(url: string): Promise<MailServerFacts | undefined> {
  const server = readMailUrl(url)
  if (server?.kind !== 'smtp') return undefined

  const { host, port } = server
  const transport = await createSmtp(server)
  try {
    await transport.verify()
    return { host, port, fault: undefined }
  } catch (error) {
    return { host, port, fault: explainFailure(failureOf(error).code) }
  } finally {
    transport.close()
  }
}
