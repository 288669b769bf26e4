// The most logins that this machine could answer: a handler that verifies an argon2id hash and does
// nothing else. It uses the same library as Keystile, and as many threads of the same priority.
import { createServer } from 'node:http'
import { availableParallelism, setPriority } from 'node:os'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { hashSync, verifySync } from '@node-rs/argon2'
import { hostname, variable } from './environment.ts'

const password = 'correct horse battery staple'

if (isMainThread) serve()
else hashForOthers()

function serve(): void {
  const idle = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL(import.meta.url)),
  )
  const waiting: ((isRight: boolean) => void)[] = []
  const dispatch = (): void => {
    while (idle.length > 0 && waiting.length > 0) {
      const [worker, resolve] = [idle.pop()!, waiting.shift()!]
      worker.once('message', (isRight: boolean) => {
        idle.push(worker)
        resolve(isRight)
        dispatch()
      })
      worker.postMessage(password)
    }
  }
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      waiting.push((isRight) =>
        response.writeHead(isRight ? 200 : 500, { 'content-length': 0 }).end(),
      )
      dispatch()
    })
  })
  server.listen(Number(variable('PORT')), hostname)
}

function hashForOthers(): void {
  if (process.platform === 'linux') setPriority(0, 10)
  // Algorithm 2 is argon2id: the enumeration of the package is `const` and erased.
  const stored = hashSync(password, {
    algorithm: 2,
    memoryCost: 19_456,
    timeCost: 2,
    parallelism: 1,
  })
  parentPort!.on('message', (given: string) => parentPort!.postMessage(verifySync(stored, given)))
}
