import { readFileSync } from 'node:fs'

/** Returns what a file of a secret holds, without the line end that editors leave. */
export function readSecretFile(
  variable: string,
  path: string,
  faults: string[],
): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    faults.push(`${variable} must name a file that can be read: ${(error as Error).message}`)
    return undefined
  }
}
