// Runs a verifier with a revocation feed, or a Keystile server, in a process of its own.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { createVerifier, TokenError, type Verifier, type VerifierOptions } from 'keystile'

/** A process that answers one message after the other. */
interface Process<Sent, Told> {
  ask(sent: Sent): Promise<Told>
  freeze(): void
  thaw(): void
  /** Ends the process with SIGKILL. */
  kill(): Promise<void>
}

/** `now`: says at once whether a token is accepted. Otherwise waits until it is refused. */
export interface Question {
  readonly token: string
  readonly now?: true
}

export interface Verdict {
  /** `accepted`, or the reason of the refusal. */
  readonly verdict: string
  /** When the verifier said so, by the clock of the machine. */
  readonly at: number
}

interface ServerSettings {
  readonly database: string
  readonly issuer: string
}

type Settings =
  | { readonly verifier: Pick<VerifierOptions, 'issuer' | 'audience' | 'revocations'> }
  | { readonly server: ServerSettings }

/** Starts a verifier. It is `ready()` then. */
export async function startVerifierProcess(
  verifier: Pick<VerifierOptions, 'issuer' | 'audience' | 'revocations'>,
): Promise<Process<Question, Verdict>> {
  return (await startProcess<Question, Verdict>({ verifier })).process
}

/** Starts a server, and returns the port on which it listens. */
export async function startServerProcess(
  server: ServerSettings,
): Promise<Process<never, never> & { readonly port: number }> {
  const { process, first } = await startProcess<never, never>({ server })
  return { ...process, port: Number(first) }
}

/** Starts a process. `first` is its first message. */
async function startProcess<Sent, Told>(
  settings: Settings,
): Promise<{ readonly process: Process<Sent, Told>; readonly first: unknown }> {
  const child = fork(import.meta.filename, [JSON.stringify(settings)], {
    execArgv: ['--conditions=source'],
  })
  const exit = once(child, 'exit')
  async function reply(): Promise<unknown> {
    const ended = exit.then(([code]) => Promise.reject(new Error(`the process ended: ${code}`)))
    const [told] = await Promise.race([once(child, 'message'), ended])
    return told
  }
  const first = await reply()
  return {
    first,
    process: {
      async ask(sent) {
        child.send(sent as object)
        return (await reply()) as Told
      },
      freeze: () => void child.kill('SIGSTOP'),
      thaw: () => void child.kill('SIGCONT'),
      async kill() {
        child.kill('SIGKILL')
        await exit
      },
    },
  }
}

/** Returns `accepted`, or the reason why a verifier refuses a token. */
export async function judge(verifier: Verifier, token: string): Promise<string> {
  return verifier.verify(token).then(
    () => 'accepted',
    (error: unknown) => (error instanceof TokenError ? error.reason : String(error)),
  )
}

async function runVerifier(verifier: Verifier): Promise<void> {
  await verifier.ready()
  process.on('message', async ({ token, now }: Question) => {
    let verdict = await judge(verifier, token)
    if (!now) {
      while (verdict === 'accepted') {
        await delay(5)
        verdict = await judge(verifier, token)
      }
    }
    process.send?.({ verdict, at: Date.now() } satisfies Verdict)
  })
  process.send?.('ready')
}

async function runServer(settings: ServerSettings): Promise<void> {
  // Only a server needs these modules. It takes four times as long to load them as a verifier.
  const { startKeystile } = await import('../../packages/server/test-support/keystile.ts')
  const { serveOnSocket } = await import('../../packages/server/test-support/revocation-reader.ts')
  const { keystile } = await startKeystile(settings)
  const { port } = await serveOnSocket(keystile)
  process.send?.(port)
}

if (import.meta.main) {
  process.once('disconnect', () => process.exit())
  const settings = JSON.parse(process.argv[2] ?? '') as Settings
  await ('verifier' in settings
    ? runVerifier(createVerifier(settings.verifier))
    : runServer(settings.server))
}
