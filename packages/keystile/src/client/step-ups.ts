// Asks the app for a step-up when an API demands a stronger or a more recent login (RFC 9470).
import { isCode } from './client-error.ts'
import type { LoginDemand, StepUp } from './next-step.ts'
import type { SessionKeeper } from './session-keeper.ts'
import { continues, knownSession, type KnownSession } from './stored-session.ts'

/** Lets the person do what a step-up needs. The promise ends when the person has done it or not. */
export type StepUpHandler = (stepUp: StepUp) => Promise<unknown>

export interface StepUps {
  /**
   * Registers a handler. Only the newest one is asked. Returns a function that removes it; then the
   * one before is asked again.
   */
  onStepUp(handler: StepUpHandler): () => void
  /**
   * Returns the session that has replaced `weak`, after a step-up if needed. Returns undefined if
   * the person does no step-up, or if the app has no handler.
   *
   * @throws {ClientError} as `stepUp`, and what the handler throws
   */
  raise(weak: KnownSession, demand: LoginDemand): Promise<Raised | undefined>
}

interface Raised {
  readonly session: KnownSession
  /** Whether the step-up was for this demand. Another one may have proved less. */
  readonly isOwn: boolean
}

/** Creates the step-ups of one client. Requests at the same time share one step-up. */
export function createStepUps(keeper: Pick<SessionKeeper, 'read' | 'stepUp'>): StepUps {
  const handlers: StepUpHandler[] = []
  let running: Promise<unknown> | undefined

  async function ask(handler: StepUpHandler, demand: LoginDemand): Promise<void> {
    const result = await keeper.stepUp(demand).catch((error: unknown) => {
      // The session has ended, so its user is signed out.
      if (isCode(error, 'invalid_session', 'not_signed_in')) return undefined
      throw error
    })
    if (result?.next) await handler({ ...demand, next: result.next })
  }

  return {
    onStepUp(handler) {
      // Each call registers a function of its own, so that a handler that is registered twice can
      // be removed once.
      const own: StepUpHandler = (stepUp) => handler(stepUp)
      handlers.push(own)
      return () => {
        const index = handlers.indexOf(own)
        if (index !== -1) handlers.splice(index, 1)
      }
    },
    async raise(weak, demand) {
      const replacement = async (): Promise<KnownSession | undefined> => {
        const current = knownSession(await keeper.read())
        return current && current.id !== weak.id && continues(current, weak) ? current : undefined
      }

      const handler = handlers.at(-1)
      if (!handler) return undefined
      let session = await replacement()
      if (session) return { session, isOwn: false }

      const isOwn = running === undefined
      running ??= ask(handler, demand).finally(() => {
        running = undefined
      })
      await running
      session = await replacement()
      return session && { session, isOwn }
    },
  }
}
