import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { audience, issuer } from '../tokens.ts'
import type { Material } from './material.ts'
import { peersFolder } from './peers.ts'

const python = '/usr/bin/python3'

/** PyJWT in its own process, which verifies all tokens once in each round. */
export interface PyJwt {
  /** Verifies all tokens once. @returns microseconds of processor time for each token */
  round(): Promise<number>
  stop(): void
}

/** @returns PyJWT when it is ready and has refused a changed token, or why it cannot be measured */
export async function startPyJwt(
  { algorithm, keyObject, pem, tokens }: Material,
  folder: string,
): Promise<PyJwt | string> {
  if (!existsSync(python)) return `PyJWT: there is no ${python}`
  const file = join(folder, `${algorithm}.json`)
  // A secret may be any bytes. PyJWT takes a string, so the bytes become latin1 characters.
  const key = pem ?? keyObject.export().toString('latin1')
  writeFileSync(file, JSON.stringify({ key, tokens }))
  const child = spawn(python, [
    join(peersFolder, 'pyjwt_verify.py'),
    algorithm,
    issuer,
    audience,
    file,
  ])
  const complaint = text(child.stderr)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error((await complaint).trim().split('\n').at(-1))
    return value
  }
  try {
    await next()
  } catch (error) {
    const { message } = error as Error
    return `PyJWT, ${algorithm}: ${message} (which packages: bench/peers/install.ts)`
  }
  return {
    round: async () => {
      child.stdin.write('\n')
      return Number(await next())
    },
    stop: () => child.stdin.end(),
  }
}
