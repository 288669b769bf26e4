import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hash, verify } from './argon2.ts'

export type HashRequest =
  | { readonly id: number; readonly password: Uint8Array }
  | { readonly id: number; readonly password: Uint8Array; readonly stored: string }

export type HashReply =
  | { readonly id: number; readonly result: string | boolean }
  | { readonly id: number; readonly error: string }

// Linux keeps a priority a thread: hashing then yields to the event loop. Elsewhere it would slow the whole process.
if (process.platform === 'linux') setPriority(0, 10)

parentPort!.on('message', (request: HashRequest | 'close') => {
  if (request === 'close') {
    parentPort!.close()
    return
  }
  try {
    const result = 'stored' in request ? verify(request.password, request.stored) : hash(request.password)
    parentPort!.postMessage({ id: request.id, result } satisfies HashReply)
  } catch (error) {
    parentPort!.postMessage({ id: request.id, error: (error as Error).message } satisfies HashReply)
  } finally {
    request.password.fill(0)
  }
})
