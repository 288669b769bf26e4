/** A mail as Keystile sends it. It also has the members that nodemailer needs. */
export interface SentMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface TestMail extends SentMail {
  /** The link. @throws {Error} if the mail has no link */
  readonly link: string
  /** The token in the link. @throws {Error} if the mail has no link */
  readonly token: string
  /** The code, such as `1234 5678`. @throws {Error} if the mail has no code */
  readonly code: string
}

/** The mailboxes of all users, for the tests of an app. No mail leaves the process. */
export interface TestMailbox {
  readonly from: string
  /** Called by Keystile for each mail. */
  send(mail: SentMail): void
  /** All mails that were sent so far, the oldest first. */
  readonly mails: readonly TestMail[]
  /**
   * Returns the next mail to an address: the oldest mail that no earlier call has returned. If
   * there is no such mail yet, waits for one: Keystile sends a mail up to 2 s after the request.
   *
   * @param options.timeoutSeconds default: 10
   * @throws {Error} if no such mail arrives before the timeout. The message lists the mails that
   *   were sent
   */
  next(address: string, options?: { readonly timeoutSeconds?: number }): Promise<TestMail>
}

/** Makes a `TestMailbox`. Give it to `createKeystile` as the option `mail`. */
export function createTestMailbox(): TestMailbox {
  const mails: TestMail[] = []
  const unread: TestMail[] = []
  const waiting: Waiting[] = []

  function take(address: string): TestMail | undefined {
    const index = unread.findIndex((mail) => isTo(mail, address))
    return index < 0 ? undefined : unread.splice(index, 1)[0]
  }

  return {
    from: 'Test <no-reply@test.example>',
    send(sent) {
      const mail = new ReceivedMail(sent)
      mails.push(mail)
      const index = waiting.findIndex(({ address }) => isTo(mail, address))
      if (index < 0) unread.push(mail)
      else waiting.splice(index, 1)[0]?.resolve(mail)
    },
    mails,
    async next(address, { timeoutSeconds = 10 } = {}) {
      const mail = take(address)
      if (mail) return mail

      return new Promise((resolve, reject) => {
        const wait: Waiting = {
          address,
          resolve(found) {
            clearTimeout(timer)
            resolve(found)
          },
        }
        // The timer keeps the process running: the timers of Keystile do not.
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(wait), 1)
          reject(new Error(missing(address, timeoutSeconds, mails)))
        }, timeoutSeconds * 1000)
        waiting.push(wait)
      })
    },
  }
}

interface Waiting {
  readonly address: string
  resolve(mail: TestMail): void
}

class ReceivedMail implements TestMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string

  constructor({ to, subject, text, html }: SentMail) {
    this.to = to
    this.subject = subject
    this.text = text
    this.html = html
  }

  get link(): string {
    return this.#find('link', linkPattern, 0)
  }

  get token(): string {
    return this.#find('link', linkPattern, 1)
  }

  get code(): string {
    return this.#find('code', /\b\d{4} \d{4}\b/, 0)
  }

  #find(what: string, pattern: RegExp, group: number): string {
    const found = pattern.exec(this.text)?.[group]
    if (found === undefined)
      throw new Error(`the mail "${this.subject}" to ${this.to} has no ${what}`)
    return found
  }
}

const linkPattern = /https?:\/\/[^\s"'<>]*[?&]token=([\w-]+)/

function isTo({ to }: TestMail, address: string): boolean {
  return to.toLowerCase() === address.toLowerCase()
}

function missing(address: string, seconds: number, mails: readonly TestMail[]): string {
  const others = mails.map(({ to, subject }) => `"${subject}" to ${to}`)
  const sent = others.length > 0 ? others.join(', ') : 'none'
  return `no further mail to ${address} was sent within ${seconds} s; mails so far: ${sent}`
}
