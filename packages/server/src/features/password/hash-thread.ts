import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hash, type Argon2Parameters } from './argon2.ts'
import { verify } from './stored-hash.ts'

/** A password to hash, or to verify against a stored hash. A thread has one at a time. */
export interface HashRequest {
  readonly password: Uint8Array
  readonly stored?: string
  /** For a new hash. */
  readonly parameters?: Argon2Parameters | undefined
  /** For a new hash, in base64; without it, the hash gets a new salt. */
  readonly salt?: string | undefined
}

export type HashReply = { readonly result: string | boolean } | { readonly error: string }

// On Linux each thread has its own priority, so hashing yields to the event loop. Elsewhere this
// would slow the whole process.
if (process.platform === 'linux') lowerPriority()

// One message after the other, so that `close` waits for the running hash.
let working = Promise.resolve()
if (!parentPort) throw new Error('this is the module of a thread')
const port = parentPort
port.on('message', (request: HashRequest | 'close') => {
  working = working.then(async () => {
    if (request === 'close') port.close()
    else port.postMessage(await answer(request))
  })
})

function lowerPriority(): void {
  // Why 10: decisions/0002-hash-on-threads-of-their-own.md
  const wanted = 10
  try {
    if (getPriority() < wanted) setPriority(0, wanted)
  } catch {
    // Hashing at the priority of the process is better than no hashing.
  }
}

async function answer({ password, stored, parameters, salt }: HashRequest): Promise<HashReply> {
  try {
    return {
      result:
        stored === undefined ? hash(password, parameters, salt) : await verify(password, stored),
    }
  } catch (error) {
    return { error: (error as Error).message }
  } finally {
    password.fill(0)
  }
}
