import type { CleanUpStep } from '../../feature/clean-up.ts'
import type { Feature } from '../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../feature/values.ts'
import { purgeProbes } from './store.ts'

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

type Options = Required<ProbeOptions>

/** Probes that are older than they are kept. */
const cleanUp: readonly CleanUpStep<Options>[] = [
  {
    command: purgeProbes,
    time: 'clock',
    before: (time, { probeSeconds }) => time - probeSeconds * 1000,
  },
]

/** Counts how often users asked: an example of a feature with all of its parts. */
export const feature: Feature<Options, keyof ProbeOptions> = {
  name: 'probe',
  settings: listSettings<ProbeOptions>({ probeSeconds }),
  cleanUp,
}
