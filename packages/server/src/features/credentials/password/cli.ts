import { availableParallelism, totalmem } from 'node:os'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { formatValue, type Setting } from '../../../feature/setting.ts'
import { hash } from './argon2.ts'
import { chooseCost, parametersOf, type HashingCost } from './hashing-cost.ts'

/**
 * The accepted range of `--milliseconds`. With a smaller value, a stolen hash is easy to guess.
 * With a larger value, logins are too slow.
 */
const [leastMilliseconds, mostMilliseconds] = [10, 5_000]
/**
 * The number of hashes in a measurement. The result is their median, so two slow hashes do no harm.
 */
const hashesPerMeasurement = 5

export interface TunedMachine {
  readonly threads: number
  /** The memory in bytes. */
  readonly memory: number
  /** Returns how many milliseconds a hash takes. */
  measure(cost: HashingCost): number
}

/**
 * `keystile tune`: prints the strongest cost at which a hash takes no longer than the given time.
 * It measures on one idle thread; when all cores are busy, hashes take longer.
 */
export function tune(
  { flags, terminal }: Pick<Call<unknown>, 'flags' | 'terminal'>,
  {
    setting,
    defaultMilliseconds,
  }: { readonly setting: Setting<string, HashingCost>; readonly defaultMilliseconds: number },
  machine: TunedMachine = { threads: availableParallelism(), memory: totalmem(), measure },
): void {
  const milliseconds = readMilliseconds(flags.value('milliseconds') ?? String(defaultMilliseconds))
  const { threads } = machine
  // All threads together may take a quarter of the memory.
  const maxMemoryKiB = Math.floor(machine.memory / 1024 / 4 / threads)
  const { cost, milliseconds: taken } = chooseCost(machine.measure, { milliseconds, maxMemoryKiB })
  const rounded = Math.round(taken)
  if (flags.has('json')) {
    terminal.printJson({ passwordHashing: cost, milliseconds: rounded })
    return
  }

  const { memoryKiB, passes } = cost
  const memory = Math.ceil((memoryKiB * threads) / 1024)
  terminal.print(`${setting.environment?.[0]}=${formatValue(setting, cost)}`)
  terminal.print(`# in code: passwordHashing: { memoryKiB: ${memoryKiB}, passes: ${passes} }`)
  terminal.print(`# ${rounded} ms a hash; ${memory} MiB when all ${threads} threads hash at once`)
  if (taken > milliseconds)
    terminal.print(
      `# longer than ${milliseconds} ms: a faster hash would be weaker than OWASP recommends`,
    )
}

function readMilliseconds(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= leastMilliseconds && value <= mostMilliseconds) return value
  throw new ConfigurationError(
    `--milliseconds must be a whole number from ${leastMilliseconds} to ${mostMilliseconds}`,
  )
}

function measure(cost: HashingCost): number {
  const password = Buffer.from('correct horse battery staple')
  return medianTime(() => hash(password, parametersOf(cost)))
}

/**
 * Returns the median time of several calls, because the system may interrupt one of them.
 *
 * @param now a clock in milliseconds that never goes back
 */
export function medianTime(work: () => void, now: () => number = () => performance.now()): number {
  const times = Array.from({ length: hashesPerMeasurement }, () => {
    const startedAt = now()
    work()
    return now() - startedAt
  })
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.POSITIVE_INFINITY
}
