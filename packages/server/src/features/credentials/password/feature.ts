import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import type { GaugeMetric, HistogramMetric } from '../../../feature/metric.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { defaultCost, findCostFault, type HashingCost } from './hashing-cost.ts'

export interface PasswordOptions {
  /**
   * The cost of a new password hash, which is argon2id with one lane. The cost must be at least as
   * high as OWASP recommends. Default: 19,456 KiB and 2 passes. `keystile tune` measures what a
   * machine can afford. A login replaces a stored hash of lower cost.
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
  help: 'Time from the request for a hash to its result, including the wait in the queue.',
  labels: {},
}

export const hashQueueLength: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_hash_queue_length',
  help: 'Passwords that are waiting to be hashed or are being hashed.',
}

/**
 * The time that a hash may take if the operator gives no other time. Users do not notice such a
 * delay in a login, and one core can serve ten logins a second.
 */
const defaultMilliseconds = 100

/**
 * Password hashes, computed in separate threads. New hashes are argon2id; scrypt and bcrypt hashes
 * can be verified.
 */
export const feature: Feature<PasswordOptions> = {
  name: 'password',
  settings: listSettings<PasswordOptions>({ passwordHashing }),
  metrics: [hashSeconds, hashQueueLength],
  cliCommands: [
    {
      words: ['tune'],
      flags: { milliseconds: { value: 'N' }, json: {} },
      takesSettings: false,
      summary:
        'measure and print the strongest password hashing ' +
        `that takes at most N ms on this machine; N is ${defaultMilliseconds} by default`,
      async load() {
        const { tune } = await import('./cli.ts')
        return (call) => tune(call, { setting: passwordHashing, defaultMilliseconds })
      },
    },
  ],
}

function parseCost(text: string): HashingCost {
  const match = /^m=(\d{1,9}),t=(\d{1,9})$/.exec(text)
  if (!match)
    throw new TypeError(
      'must have the form m=19456,t=2, where m is the memory in KiB and t the number of passes',
    )
  return { memoryKiB: Number(match[1]), passes: Number(match[2]) }
}
