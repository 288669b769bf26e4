import type { Feature } from '../../../feature/feature.ts'
import { minuteMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import type { CounterMetric } from '../../../feature/metric.ts'
import type { Rule } from '../../../feature/rule.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../../feature/values.ts'
import { purgeProbes, type ProbeEvent } from './store.ts'

export interface ProbeOptions {
  /** How long a probe is kept: seconds, 60 to 31,536,000 (a year). Default: a day. */
  readonly probeSeconds?: number
}

const probeSeconds: DefaultedSetting<'probeSeconds', number> = {
  name: 'probeSeconds',
  takenBy: 'both',
  schema: seconds(60, 365 * daySeconds),
  default: daySeconds,
  unit: 'seconds',
  help: 'how long a probe is kept',
  environment: ['KEYSTILE_PROBE_SECONDS'],
  parse: parseWholeNumber,
}

interface RuleOptions {
  readonly probeSeconds?: number | undefined
}

const probeKept: Rule<RuleOptions> = {
  id: 'probe-kept',
  standard: 'none',
  severity: 'warn',
  demand: 'a probe is kept for an hour or more',
  find: ({ options: { probeSeconds = daySeconds } }, say) =>
    probeSeconds < 3600
      ? [
          {
            about: say.name('probeSeconds'),
            message: `is ${probeSeconds}: probes are deleted before an operator sees them`,
            fix: say.set('probeSeconds', 3600),
          },
        ]
      : [],
}

/** The limit on probes of one user. */
export const probeRate: LimitRate = {
  name: 'probe',
  burst: 2,
  intervalMilliseconds: minuteMilliseconds,
}

export const probes: CounterMetric<{}> = {
  type: 'counter',
  name: 'keystile_probes_total',
  help: 'Probes that users made.',
  labels: {},
}

/** Counts probes of users: an example of a feature with all of its parts. */
export const feature: Feature<ProbeOptions, ProbeEvent, RuleOptions, Required<ProbeOptions>> = {
  name: 'probe',
  settings: listSettings<ProbeOptions>({ probeSeconds }),
  rules: [probeKept],
  auditEvents: ['probe_made'],
  rates: [probeRate],
  metrics: [probes],
  cleanUp: [
    {
      command: purgeProbes,
      time: 'clock',
      before: (time, { probeSeconds }) => time - probeSeconds * 1000,
    },
  ],
  cliCommands: [
    {
      words: ['probe', 'count'],
      takesSettings: 'withoutKey',
      summary: 'how many probes there are',
      load: async () => (await import('./cli.ts')).count,
    },
  ],
}
