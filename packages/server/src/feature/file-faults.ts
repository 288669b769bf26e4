import { isOpenToOthers, ownFix, type FileFacts } from './file-facts.ts'
import type { Fault } from './rule.ts'

/**
 * Returns the faults of files that must be private: other users may read or write a file, or
 * another user owns it.
 *
 * @param reason why a file must be private, as the end of a message: `it holds a secret`
 */
export function findFileFaults(files: readonly FileFacts[], reason: string): readonly Fault[] {
  return files.flatMap(({ path, mode = 0, isForeign }) => {
    const faults: Fault[] = []
    if (isOpenToOthers(mode))
      faults.push({
        about: path,
        message: `can be read or written by other users, and ${reason}`,
        fix: `chmod 600 ${path}`,
      })
    if (isForeign)
      faults.push({
        about: path,
        message: `belongs to another user, and ${reason}`,
        fix: ownFix(path),
      })
    return faults
  })
}
