// Measures what a revocation takes in the memory of a server.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRevocationList, randomId, randomRowId } from 'keystile/internal'
import { createEventLog } from '../packages/server/test-support/whole-server.ts'

/**
 * Returns the bytes of a revocation in memory: in the list that guards ask, and in the log that
 * `GET /revocations` sends.
 *
 * @param count the number of revocations to measure
 */
export function bytesOfRevocation(count: number): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('Node must be able to collect garbage')
  const used = (): number => {
    for (let time = 0; time < 3; time++) collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }

  const [list, log] = [createRevocationList(), createEventLog()]
  const before = used()
  for (let seq = 0; seq < count; seq++) {
    const expiresAt = Date.now() + 600_000
    list.add({ kind: 'session', value: randomId(), expiresAt })
    log.add({ id: randomRowId(seq), seq, kind: 'session', value: randomId(), expiresAt })
  }
  const bytes = (used() - before) / count
  // The list and the log must still exist when the memory is read.
  if (list.isRevoked({ sessionId: '', subject: '', clientId: '' }) || !log.start())
    throw new Error('no unknown session may be revoked')
  return bytes
}
