import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Returns the URL of the file that has the commands of @keystile/server; `undefined` if
 * @keystile/server is not installed. First resolves @keystile/server as an import of this package.
 * If that fails, resolves it from `calledAs`, the path of the command that was started. With pnpm,
 * only the second way finds the packages of the app.
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
