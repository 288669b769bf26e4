// The program of a hash thread: it hashes and verifies the passwords that it gets as messages.
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hash, type Argon2Parameters } from './argon2.ts'
import { verify } from './stored-hash.ts'

export interface HashRequest {
  readonly password: Uint8Array
  /** The hash to verify the password against; undefined asks for a new hash. */
  readonly stored?: string
  readonly parameters?: Argon2Parameters | undefined
  /** The salt of a new hash, in base64. Default: a random salt. */
  readonly salt?: string | undefined
}

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
  const { password, stored, parameters, salt } = request
  try {
    const result =
      stored === undefined ? hash(password, parameters, salt) : await verify(password, stored)
    return { id, result }
  } catch (error) {
    return { id, error: (error as Error).message }
  } finally {
    password.fill(0) // so that it does not stay in memory
  }
}
