// Which costs of a hash are allowed, and how to choose one for a machine.
import type { Argon2Parameters } from './argon2-derive.ts'
import { defaultParameters, maxMemory, maxWork } from './argon2.ts'

/** The cost of a new hash: argon2id with one lane. */
export interface HashingCost {
  readonly memoryKiB: number
  readonly passes: number
}

export const defaultCost: HashingCost = {
  memoryKiB: defaultParameters.memory,
  passes: defaultParameters.passes,
}

/**
 * The minimum memory in KiB for 1, 2, 3 and 4 passes. `leastMemoryOfMany` is the minimum for more
 * passes. According to OWASP's Password Storage Cheat Sheet, all these costs are equally strong.
 */
const leastMemory = [47_104, 19_456, 12_288, 9_216] as const
const leastMemoryOfMany = 7_168
const kibPerMib = 1_024

/**
 * Returns the argon2id parameters for a cost. There is only one lane, because each core hashes a
 * different password anyway.
 */
export function parametersOf({ memoryKiB, passes }: HashingCost): Argon2Parameters {
  return { memory: memoryKiB, passes, parallelism: 1 }
}

/**
 * Returns the reason why a cost is not allowed, or undefined if the cost is allowed. The reason
 * begins with `must have`. Does NOT check whether the machine has enough memory.
 */
export function findCostFault({ memoryKiB, passes }: HashingCost): string | undefined {
  if (!Number.isInteger(memoryKiB) || !Number.isInteger(passes) || passes < 1)
    return 'must have memoryKiB and passes, whole numbers of at least 1'

  const least = leastMemory[passes - 1] ?? leastMemoryOfMany
  if (memoryKiB < least)
    return (
      `must have memoryKiB: ${least} or more for passes: ${passes} ` +
      '(OWASP, Password Storage Cheat Sheet)'
    )
  if (memoryKiB > maxMemory || memoryKiB * passes > maxWork)
    return `must have memoryKiB: ${maxMemory} or less, and memoryKiB × passes: ${maxWork} or less`
  return undefined
}

export interface MeasuredCost {
  readonly cost: HashingCost
  readonly milliseconds: number
}

/** What limits the choice of a cost. */
interface Limits {
  readonly milliseconds: number
  /** How much of the machine's memory one hash may take. */
  readonly maxMemoryKiB: number
}

/** Returns the milliseconds that a hash takes. */
type Measure = (cost: HashingCost) => number

/**
 * Finds the highest cost at which a hash takes at most `milliseconds`. The memory of this cost is
 * at most a sixteenth below the exact result. If a hash of the default cost already takes longer,
 * returns the default cost. Raises the memory before the passes, because memory is what the
 * hardware of attackers lacks most.
 */
export function chooseCost(measure: Measure, limits: Limits): MeasuredCost {
  const least = { cost: defaultCost, milliseconds: measure(defaultCost) }
  if (least.milliseconds > limits.milliseconds) return least

  const most = Math.floor(Math.min(limits.maxMemoryKiB, maxMemory) / kibPerMib)
  const chosen = raiseMemory(least, most, { measure, limits })
  return chosen.cost.memoryKiB === most * kibPerMib
    ? raisePasses(chosen, { measure, limits })
    : chosen
}

interface Trial {
  readonly measure: Measure
  readonly limits: Limits
}

/** Raises the memory to at most `most` MiB. */
function raiseMemory(least: MeasuredCost, most: number, trial: Trial): MeasuredCost {
  const { passes } = least.cost
  let chosen = least
  let fitting = least.cost.memoryKiB / kibPerMib
  // More than `most` as long as no memory was too slow.
  let tooSlow = most + 1
  while (tooSlow - fitting > fitting / 16) {
    // The time is nearly proportional to the memory, so the first guess is good. Then the search
    // bisects.
    const guess = Math.floor(fitting * (trial.limits.milliseconds / chosen.milliseconds))
    const next =
      tooSlow > most ? Math.min(Math.max(guess, fitting + 1), most) : (fitting + tooSlow) >>> 1
    const measured = measureFitting({ memoryKiB: next * kibPerMib, passes }, trial)
    if (measured) [fitting, chosen] = [next, measured]
    else tooSlow = next
  }
  return chosen
}

/** Adds passes to a cost, one by one. */
function raisePasses(least: MeasuredCost, trial: Trial): MeasuredCost {
  const { memoryKiB } = least.cost
  let chosen = least
  for (let passes = least.cost.passes + 1; memoryKiB * passes <= maxWork; passes++) {
    const measured = measureFitting({ memoryKiB, passes }, trial)
    if (!measured) break
    chosen = measured
  }
  return chosen
}

/** Measures a cost. Returns undefined if a hash takes too long. */
function measureFitting(cost: HashingCost, { measure, limits }: Trial): MeasuredCost | undefined {
  const milliseconds = measure(cost)
  return milliseconds > limits.milliseconds ? undefined : { cost, milliseconds }
}
