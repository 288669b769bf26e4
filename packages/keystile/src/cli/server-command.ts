import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Returns the URL of the file with the commands of @keystile/server; `undefined` if that package is
 * not installed. First looks for it from this package, then from the path by which the command was
 * called: with pnpm, this package does not see the other packages of the app.
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
