import { readFileSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { isForeign, ownFix } from '../feature/file-facts.ts'

/**
 * Reads the settings in a file of TypeScript, JavaScript or JSON. If the file cannot be read, or
 * another user can write it, returns undefined and adds a message to `faults`.
 */
export async function readSettingsFile(
  file: string,
  faults: string[],
): Promise<object | undefined> {
  try {
    const fault = findOwnerFault(file)
    // A copy, because the code of a getter in the file may throw too.
    if (fault === undefined) return { ...(await readContent(file)) }
    faults.push(fault)
  } catch (error) {
    const message = describeError(error as Error, file)
    // What Node says about an ES module in a folder of CommonJS modules.
    const hint = /'export'|import statement/.test(message)
      ? '. The package.json of its folder must contain "type": "module"'
      : ''
    faults.push(`${file} cannot be read: ${message}${hint}`)
  }
  return undefined
}

/**
 * Describes why code could not run. Messages of JavaScript repeat names in the code, and a name may
 * be a secret without quotes.
 */
function describeError({ name, message, stack = '' }: Error, file: string): string {
  const isReference = name === 'ReferenceError'
  const hasName = isReference || /^(Identifier|Private field) /.test(message)
  if (!hasName) return message

  const what = isReference ? 'a name in it is not defined' : 'the code in it has a wrong name'
  const place = stack.split('\n').find((line) => line.includes(`${file}:`))
  const line = place && /:(\d+)(:\d+)?\)?$/.exec(place)?.[1]
  return line === undefined ? what : `${what}, in line ${line}`
}

/**
 * Finds out whether another user can write the file. Keystile runs the code in it, and trusts its
 * settings. In a folder such as `/tmp`, another user may have put it there.
 */
function findOwnerFault(file: string): string | undefined {
  const stats = statSync(file)
  if (isForeign(stats))
    return (
      `${file} must not belong to another user, because Keystile obeys it. ` +
      `Fix: ${ownFix(file)}`
    )

  // On many systems, each user has a group with the same number, and files are writable by it.
  const others = stats.gid === stats.uid ? 0o002 : 0o022
  if (process.platform !== 'win32' && (stats.mode & others) !== 0)
    return (
      `${file} must be writable by its owner only, because Keystile obeys it. ` +
      `Fix: chmod go-w ${file}`
    )
  return undefined
}

async function readContent(file: string): Promise<object> {
  const content: unknown = file.endsWith('.json')
    ? parseJson(readFileSync(file, 'utf8'))
    : (await import(pathToFileURL(file).href)).default
  if (typeof content !== 'object' || content === null)
    throw new TypeError(
      'the default export, or the JSON in the file, must be an object of settings',
    )
  return content
}

/**
 * @throws {TypeError} with the line and column of the fault, but without the text, which may be
 *   secret
 */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const before = text.slice(0, findFault(text, (error as Error).message)).split('\n')
    const column = (before.at(-1) ?? '').length + 1
    throw new TypeError(`it must be valid JSON; see line ${before.length}, column ${column}`)
  }
}

/** Returns the position of the fault in a text that is not JSON. */
function findFault(text: string, message: string): number {
  const position = / at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)

  // Node does not say where an unexpected token is: at the end of the shortest start that has it.
  for (let end = 1; end <= text.length; end++) {
    try {
      JSON.parse(text.slice(0, end))
    } catch (error) {
      if ((error as Error).message.startsWith('Unexpected token')) return end - 1
    }
  }
  return text.length
}
