// The program of a hash thread: it hashes and verifies the passwords that it gets as messages.
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { Argon2Parameters } from './argon2-derive.ts'
import { hash } from './argon2.ts'
import { verify } from './stored-hash.ts'

/** Asks for a new hash, or whether a password belongs to a stored one. */
export type HashRequest =
  | {
      readonly task: 'hash'
      readonly password: Uint8Array
      readonly parameters: Argon2Parameters | undefined
      /** In base64. Default: a random salt. */
      readonly salt: string | undefined
    }
  | { readonly task: 'verify'; readonly password: Uint8Array; readonly stored: string }

export interface HashOrder {
  /** The unique number of the job. The reply has the same number. */
  readonly id: number
  readonly request: HashRequest
}

export type HashReply =
  | { readonly id: number; readonly result: string | boolean }
  | { readonly id: number; readonly error: string }

// On Linux each thread has its own priority, so the event loop can run before hash threads. On
// other systems the priority applies to the whole process.
if (process.platform === 'linux') lowerPriority()

// Messages are handled one after the other, so that the message `close` takes effect after the
// running hash.
let working = Promise.resolve()
if (!parentPort) throw new Error('this module must be loaded as a worker thread')
const port = parentPort
port.on('message', (order: HashOrder | 'close') => {
  working = working.then(async () => {
    if (order === 'close') port.close()
    else port.postMessage(await answer(order))
  })
})

function lowerPriority(): void {
  // Why 10: decisions/0002-hash-on-threads-of-their-own.md
  const wanted = 10
  try {
    setPriority(0, Math.max(getPriority(), wanted))
  } catch {
    // The system may forbid a change of priority. Then hashing has the priority of the process.
  }
}

async function answer({ id, request }: HashOrder): Promise<HashReply> {
  const { password } = request
  try {
    const result =
      request.task === 'hash'
        ? hash(password, request.parameters, request.salt)
        : await verify(password, request.stored)
    return { id, result }
  } catch (error) {
    return { id, error: (error as Error).message }
  } finally {
    password.fill(0) // so that it does not stay in memory
  }
}
