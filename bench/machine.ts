// Describes the machine of a measurement, so that two measurements can be compared.
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { isJsonObject } from './json.ts'

export interface Machine {
  readonly system: string
  readonly processor: string
  readonly memory: string
  /**
   * The load average of the last minute before the measurement. If it is more than a few tenths of
   * the number of cores, other programs were running.
   */
  readonly load: string
}

export function describeMachine(): Machine {
  const [first, ...others] = cpus()
  return {
    system: `${type()} ${release()}`,
    processor: `${others.length + 1} × ${first?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    load: loadavg()[0]!.toFixed(1),
  }
}

const root = join(import.meta.dirname, '..')

/** Returns the version of a package, or `undefined` when it is not installed. */
export function versionOf(name: string, folder: string = root): string | undefined {
  try {
    const content: unknown = JSON.parse(
      readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'),
    )
    return isJsonObject(content) && typeof content['version'] === 'string'
      ? content['version']
      : undefined
  } catch {
    return undefined
  }
}

/** Returns the versions of some packages. */
export function versionsOf(
  names: readonly string[],
  folder?: string,
): Readonly<Record<string, string>> {
  const found = names.map((name) => [name, versionOf(name, folder) ?? 'absent'] as const)
  return Object.fromEntries(found)
}
