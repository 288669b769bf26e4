import { ConfigurationError } from './configuration-error.ts'

/**
 * The oldest version of Node that `@keystile/server` supports: in older versions, `node:sqlite` is
 * not complete. `bin/keystile.cjs` and `package.json` repeat this version.
 */
export const minNode = [24, 15] as const

export function findNodeFault(
  version: string,
): { readonly about: string; readonly message: string; readonly fix: string } | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > minNode[0] || (major === minNode[0] && minor >= minNode[1])) return undefined
  return {
    about: 'Node',
    message: `must be ${minNode.join('.')} or newer; it is ${version}`,
    fix: 'install a newer version from https://nodejs.org',
  }
}

/**
 * Refuses a version of Node that is too old. Without this check, an old version would fail later,
 * with an error that does not mention the version.
 *
 * @throws {ConfigurationError}
 */
export function requireNode(version: string = process.versions.node): void {
  const fault = findNodeFault(version)
  if (!fault) return
  const { about, message, fix } = fault
  throw new ConfigurationError(`@keystile/server: ${about} ${message}. Fix: ${fix}`)
}
