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
    const { reason, fix } = explain(error as NodeJS.ErrnoException, path)
    faults.push(
      `${variable} must name a file that can be read: ${reason}. Fix: ${fix}, or correct the path`,
    )
    return undefined
  }
}

function explain(
  error: NodeJS.ErrnoException,
  path: string,
): { readonly reason: string; readonly fix: string } {
  const shown = showSecretPath(path, error)
  if (error.code === 'ENOENT') return { reason: `${shown} does not exist`, fix: 'create the file' }

  // The message of Node contains the path, which may be the secret itself.
  const reason = shown === path ? error.message : `${shown} does not exist`
  return { reason, fix: 'let the user of the process read the file' }
}
