// The compiler is the test: this file must compile, and each line under @ts-expect-error must be an
// error.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ApiClient } from './client.ts'

const token = 'the token of a link'
const [requestId, registrationId, code] = ['an id', 'another id', '1234 5678']
const [username, password, email] = ['ada', 'an engine of her own', 'ada@example.com']

/** Calls that an app may make. They are compiled, and never run. */
export async function callsOfAnApp(client: ApiClient): Promise<void> {
  const registered = await client.register({ username, email, password, team: 'north' })
  if (registered.isPending) {
    const id: string = registered.registrationId
    await client.finishRegistration({ registrationId: id, code })
    // @ts-expect-error a pending registration has no request
    assert.ok(registered.requestId)
  } else {
    const { requestId: id } = registered
    if (id !== undefined) await client.verifyEmail({ requestId: id, code, password })
    // @ts-expect-error an account is not a pending registration
    assert.ok(registered.registrationId)
  }

  await client.finishRegistration({ token, password, username })
  await client.resetPassword({
    ...(await client.requestPasswordReset({ login: 'ada' })),
    code,
    password,
  })
  await client.verifyEmail({ token })
  const { requestId: change } = await client.changeEmail({ email, password })
  if (change !== undefined) await client.confirmEmailChange({ requestId: change, code })
  await client.undoEmailChange({ token })
  await client.acceptInvitation({ token, username, password, team: 'north' })
}

/** Calls that must not compile. */
export function wrongCallsOfAnApp(client: ApiClient): readonly unknown[] {
  return [
    // @ts-expect-error a registration needs an address
    () => client.register({ username, password }),
    // @ts-expect-error the link of a registration needs the password
    () => client.finishRegistration({ token }),
    // @ts-expect-error a registration has an id of its own
    () => client.finishRegistration({ requestId, code }),
    // @ts-expect-error a code needs the id of its request
    () => client.resetPassword({ code, password }),
    // @ts-expect-error either the link or the code
    () => client.verifyEmail({ token, requestId, code }),
    // @ts-expect-error a reset needs the new password
    () => client.resetPassword({ token }),
    // @ts-expect-error only the link undoes a change
    () => client.undoEmailChange({ requestId, code }),
    // @ts-expect-error a change needs the current password
    () => client.changeEmail({ email }),
    // @ts-expect-error a registration is not an invitation
    () => client.acceptInvitation({ registrationId, code, username, password }),
    // @ts-expect-error an invitation needs the chosen name and password
    () => client.acceptInvitation({ token }),
    // @ts-expect-error an invitation needs the chosen password
    () => client.acceptInvitation({ requestId, code, username }),
  ]
}

it('the types of a client’s account methods accept correct calls and refuse wrong calls', () => {
  assert.equal(typeof callsOfAnApp, 'function')
  assert.equal(wrongCallsOfAnApp.length, 1)
})
