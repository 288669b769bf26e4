import { ConfigurationError } from './configuration-error.ts'

/** The first Node whose node:sqlite is complete. bin/keystile.cjs and package.json say the same. */
export const minNode = [24, 15] as const

/** Returns the fault of a version of Node that is too old, or `undefined`. */
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
 * Refuses a Node that is too old. An old one would fail later, in words that say nothing of it.
 *
 * @throws {ConfigurationError}
 */
export function requireNode(version: string = process.versions.node): void {
  const fault = findNodeFault(version)
  if (!fault) return
  const { about, message, fix } = fault
  throw new ConfigurationError(`@keystile/server: ${about} ${message}. Fix: ${fix}`)
}
