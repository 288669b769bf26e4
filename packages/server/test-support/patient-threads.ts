import {
  openHashThreads,
  type HashThreads,
} from '../src/features/credentials/password/hash-threads.ts'

/**
 * Opens hash threads that refuse no job because it has waited too long: their clock stands still.
 * Hash threads have a low priority, so on a busy machine a job can wait for more than two seconds.
 */
export function openPatientThreads(count = 1): HashThreads {
  return openHashThreads(count, () => 0)
}
