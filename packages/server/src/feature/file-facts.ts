// Who owns a file and who may read it, for files with secrets and for those that Keystile runs.

/** The owner and the permissions of an existing file. */
export interface FileFacts {
  readonly path: string
  /** The permission bits of the file. `undefined` on Windows, where these bits mean nothing. */
  readonly mode: number | undefined
  /** Whether another user than root and the user of this process owns the file. */
  readonly isForeign: boolean
  /** The time of the last change, in milliseconds since 1970. */
  readonly modifiedAt: number
}

/**
 * Whether a file belongs to another user than root and the user of this process. Such an owner can
 * read and change the file. Always false on Windows.
 */
export function isForeign({ uid }: { readonly uid: number }): boolean {
  const user = process.geteuid?.()
  return user !== undefined && uid !== 0 && uid !== user
}

/**
 * Whether other users may replace the files in a folder. They may not if the folder has the sticky
 * bit, as `/tmp` has. The group of root and those of this process are trusted: containers and
 * machines with a group for each user have folders that their group may write. Always false on
 * Windows.
 */
export function isFolderOpen({
  mode,
  gid,
}: {
  readonly mode: number
  readonly gid: number
}): boolean {
  if (process.platform === 'win32' || (mode & 0o1000) !== 0) return false
  const trusted = [0, process.getegid?.(), ...(process.getgroups?.() ?? [])]
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !trusted.includes(gid))
}

/** Returns the fix for a file that belongs to another user. */
export function ownFix(file: string): string {
  return `run Keystile as the owner of the file, or give it another owner: chown USER ${file}`
}

/** Whether permission bits let users other than the owner read, write or run a file. */
export function isOpenToOthers(mode: number): boolean {
  return (mode & 0o077) !== 0
}
