// The errors of files, in words for an operator.

/**
 * Says why something failed that Node does with files, and how to fix it.
 *
 * @param failure the beginning of the sentence, such as `the log file x cannot be opened`
 * @param error an error of Node, which has a code
 */
export function explainFault(failure: string, error: unknown): string {
  const { code, message } = error as Error & { readonly code: string }
  const [reason, fix] = fileFaults[code] ?? [message, 'name another file']
  return `${failure}: ${reason} (${code}). Fix: ${fix}`
}

/**
 * Returns the path of a file with a secret that could not be read, as a message may show it. An
 * operator may have written the secret itself instead of a path, so the path is shown only if it
 * begins like one, or if the error shows that it exists.
 */
export function showSecretPath(path: string, error: unknown): string {
  const { code } = error as Error & { readonly code: string }
  const isPath = /^\.{0,2}\//.test(path) || ['EACCES', 'EPERM', 'EISDIR'].includes(code)
  return isPath ? path : 'the file (its name is not shown, because it may be the secret itself)'
}

const mayNotWrite = [
  'the file or its folder cannot be written',
  'let the user of the process write the file and its folder, or name another file',
] as const

const fileFaults: Readonly<Record<string, readonly [reason: string, fix: string]>> = {
  EACCES: mayNotWrite,
  EPERM: mayNotWrite,
  EROFS: mayNotWrite,
  EISDIR: ['it is a folder', 'name a file'],
  ENOTDIR: ['a part of its path is a file', 'name a file in a folder'],
  EEXIST: ['a part of its path is a file', 'name a file in a folder'],
  ENOSPC: ['the disk is full', 'free some space'],
}
