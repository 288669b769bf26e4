// The errors of files, in words for an operator.

/** Says why something failed that Node does with files, and how to fix it. */
export function explainFault(failure: string, error: unknown): string {
  const { code, message } = error as Error & { readonly code: string }
  const [reason, fix] = fileFaults[code] ?? [message, 'name another file']
  return `${failure}: ${reason} (${code}). Fix: ${fix}`
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
