// Real mail servers of Debian, side by side. Each requires STARTTLS and a login.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../../packages/server/test-support/command.ts'
import { until } from '../../../tools/until.ts'
import { startInOverlay } from '../../support/in-overlay.ts'

/** The packages of each server. */
export const mailServers = {
  postfix: ['postfix', 'sasl2-bin', 'libsasl2-modules'],
  opensmtpd: ['opensmtpd'],
  exim: ['exim4-daemon-light'],
  aiosmtpd: ['python3-aiosmtpd'],
} as const
export type MailServerName = keyof typeof mailServers

/** A mail server that delivers all mails to example.com into one mailbox. */
export interface RealMailServer {
  readonly port: number
  /** Returns the files of the mails in the mailbox. */
  files(): readonly string[]
  /** Returns the mails in the mailbox as soon as there are so many. */
  received(count: number): Promise<readonly string[]>
  /** Refuses mails to later@example.com with 450, or accepts them again. */
  refuseLater(isRefused: boolean): void
  /** Empties the mailbox. */
  clear(): void
  stop(): Promise<void>
}

export async function startRealMailServer(name: MailServerName): Promise<RealMailServer> {
  const folder = mkdtempSync(join(tmpdir(), `keystile-${name}-`))
  const port = await freePort()
  const program = await startInOverlay(
    {
      folder,
      packages: mailServers[name],
      script: join(import.meta.dirname, `${name}.sh`),
      args: [String(port)],
    },
    port,
  )
  const inbox = join(folder, 'Maildir/new')
  const marker = join(folder, 'refuse-later')
  const files = (): readonly string[] =>
    existsSync(inbox) ? readdirSync(inbox).map((file) => join(inbox, file)) : []
  return {
    port,
    files,
    async received(count) {
      await until(() => files().length >= count)
      return files().map((file) => readFileSync(file, 'utf8'))
    },
    refuseLater(isRefused) {
      if (isRefused) writeFileSync(marker, '')
      else rmSync(marker)
    },
    clear() {
      for (const file of files()) rmSync(file)
    },
    async stop() {
      await program.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
