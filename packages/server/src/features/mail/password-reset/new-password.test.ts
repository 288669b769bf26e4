import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FoundProof } from '../proofs/proofs.ts'
import { directoryPasswords } from './new-password.ts'
import { claimReset, releaseReset } from './store.ts'

describe('directoryPasswords', () => {
  it('if the app and the database fail, a password reset throws the error of the app', async () => {
    const proof: FoundProof = { id: 'x', purpose: 'x', subject: 'ada', mailbox: 'x', data: {} }
    const written: unknown[] = []
    const parts = {
      database: {
        async write(command: unknown) {
          written.push(command)
          if (command === releaseReset) throw new Error('the disk is full')
          return { claim: { ...proof, claimedUntil: 1 } }
        },
      },
      directory: { findActive: () => Promise.reject(new Error('the app is away')) },
      feed: { tail: async () => {} },
      clock: { now: () => 0 },
    } as unknown as Parameters<typeof directoryPasswords>[0]
    const wanted = { proof, hash: 'x', notice: undefined, by: { actor: 'nobody' } } as const
    await assert.rejects(directoryPasswords(parts).setPassword(wanted), /the app is away/)
    assert.deepEqual(written, [claimReset, releaseReset])
  })
})
