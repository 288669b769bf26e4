import { readFileSync } from 'node:fs'
import type { Jwk } from 'keystile/jwt'

/** Returns what a file of a secret holds, without the line end that editors leave. */
export function readSecretFile(variable: string, path: string, faults: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    faults.push(`${variable}: ${(error as Error).message}`)
    return undefined
  }
}

/** @throws {TypeError} saying what was expected */
export function readJwk(path: string): Jwk {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new TypeError(`names a file with a private JWK: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(content) as Jwk
  } catch {
    throw new TypeError(`names a file with a private JWK; ${path} is not JSON`)
  }
}
