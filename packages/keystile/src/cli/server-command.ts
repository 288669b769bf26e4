import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Returns the file with the commands of @keystile/server, or `undefined` if it is not installed.
 * First looks from this package. Then looks from the path by which the command was called, because
 * with pnpm this package does not see the other packages of the app.
 */
export function findServerCommand(calledAs: string | undefined): URL | undefined {
  for (const place of [import.meta.url, ...(calledAs === undefined ? [] : [calledAs])]) {
    try {
      return pathToFileURL(createRequire(place).resolve('@keystile/server/command'))
    } catch {
      // @keystile/server is not installed there.
    }
  }
  return undefined
}
