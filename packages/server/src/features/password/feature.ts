import * as z from 'zod'
import type { Feature } from '../../feature/feature.ts'
import type { GaugeMetric, HistogramMetric } from '../../feature/metric.ts'
import { listSettings, type DefaultedSetting } from '../../feature/setting.ts'
import { defaultCost, findCostFault, type HashingCost } from './hashing-cost.ts'

export interface PasswordOptions {
  /**
   * What the hash of a password costs: argon2id with one lane, at least as strong as OWASP
   * recommends. Default: 19,456 KiB and 2 passes. `keystile tune` measures what a machine can bear.
   * A hash of less is made anew at the next login.
   */
  readonly passwordHashing?: HashingCost
}

const passwordHashing: DefaultedSetting<'passwordHashing', HashingCost> = {
  name: 'passwordHashing',
  takenBy: 'both',
  schema: z.strictObject(
    {
      memoryKiB: z.number({ error: 'must be a number' }),
      passes: z.number({ error: 'must be a number' }),
    },
    { error: 'must be { memoryKiB, passes }' },
  ),
  default: defaultCost,
  help: 'the cost of a password hash, as keystile tune prints it',
  environment: ['KEYSTILE_PASSWORD_HASHING'],
  parse: parseCost,
  format: ({ memoryKiB, passes }) => `m=${memoryKiB},t=${passes}`,
  findFaults(cost) {
    const fault = findCostFault(cost)
    return fault === undefined ? [] : [fault]
  },
}

export const hashSeconds: HistogramMetric<{}> = {
  type: 'histogram',
  name: 'keystile_hash_seconds',
  help: 'Time from asking for a hash to having it, the wait in the queue included.',
  labels: {},
}

export const hashQueueLength: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_hash_queue_length',
  help: 'Passwords that wait to be hashed, or are being hashed.',
}

const defaultMilliseconds = 100

/** Hashes in threads of their own: argon2id, and what others stored. */
export const feature: Feature<PasswordOptions> = {
  name: 'password',
  settings: listSettings<PasswordOptions>({ passwordHashing }),
  metrics: [hashSeconds, hashQueueLength],
  cliCommands: [
    {
      words: ['tune'],
      flags: { milliseconds: { value: 'N' }, json: {} },
      takesSettings: false,
      summary: `measure what password hashing may cost here: the strongest that takes ${defaultMilliseconds} ms, or N; print the setting`,
      async load() {
        const { tune } = await import('./cli.ts')
        return (call) => tune(call, { setting: passwordHashing, defaultMilliseconds })
      },
    },
  ],
}

function parseCost(text: string): HashingCost {
  const [, memoryKiB, passes] = /^m=(\d{1,9}),t=(\d{1,9})$/.exec(text) ?? []
  if (memoryKiB === undefined)
    throw new TypeError('must be written m=19456,t=2: KiB of memory, and passes')
  return { memoryKiB: Number(memoryKiB), passes: Number(passes) }
}
