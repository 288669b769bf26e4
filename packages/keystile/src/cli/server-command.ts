import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Returns the file with the commands of @keystile/server, or `undefined` if it is not installed.
 * Looks beside this package, and beside the link through which the command was called: pnpm hides
 * other packages from this one.
 */
export function findServerCommand(calledAs: string | undefined): URL | undefined {
  for (const place of [import.meta.url, ...(calledAs === undefined ? [] : [calledAs])]) {
    try {
      return pathToFileURL(createRequire(place).resolve('@keystile/server/command'))
    } catch {
      // It is not installed there.
    }
  }
  return undefined
}
