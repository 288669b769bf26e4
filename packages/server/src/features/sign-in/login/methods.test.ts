import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secondFactors } from '../../credentials/second-factors/factors-in-transaction.ts'
import type { MethodName } from './marks-in-transaction.ts'
import { methods } from './methods.ts'

describe('the methods of a login', () => {
  it('each method that demands a second step is in the list of second factors', () => {
    const demanded = methods.filter(({ secondStep }) => secondStep?.isDemanded)
    const names = Object.keys(secondFactors)
    assert.deepEqual(demanded.map(({ name }) => name).toSorted(), names.toSorted())
  })

  it('a method has an entry for its mark, and not the name of a proof of an enrolment', () => {
    // @ts-expect-error: nothing compares its mark
    const unknown: MethodName = 'unknown'
    // @ts-expect-error: the mailbox of an enrolment would count as a second step
    const mailbox: MethodName = 'email_code'
    // @ts-expect-error: the new app of an enrolment would count as a second step
    const app: MethodName = 'enrolment'
    for (const name of [unknown, mailbox, app])
      assert.ok(methods.every((method) => method.name !== name))
  })
})
