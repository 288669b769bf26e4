import { readFileSync } from 'node:fs'
import { showSecretPath } from '../base/file-fault.ts'

/**
 * Reads a secret from a file. Removes one line break at the end, because editors add it. If the
 * file cannot be read, returns undefined and adds a message to `faults`.
 */
export function readSecretFile(
  variable: string,
  path: string,
  faults: string[],
): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isAbsent = code === 'ENOENT'
    const shown = showSecretPath(path, error)
    // The message of Node contains the path, which may be the secret itself.
    const mayShowMessage = !isAbsent && shown === path
    const reason = mayShowMessage ? message : `${shown} does not exist`
    const fix = isAbsent ? 'create the file' : 'let the user of the process read the file'
    faults.push(
      `${variable} must name a file that can be read: ${reason}. Fix: ${fix}, or correct the path`,
    )
    return undefined
  }
}
