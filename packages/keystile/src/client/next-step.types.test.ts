// The compiler is the test: this file must compile, and each line under @ts-expect-error must be an
// error.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ClientError } from './client-error.ts'
import type { ApiClient } from './client.ts'
import type { LoginResult, NextStep } from './next-step.ts'

const [username, password, otp] = ['ada', 'an engine of her own', '123456']

/** Goes on with a login, as an app does. It is compiled, and never run. */
export async function logIn(client: ApiClient): Promise<readonly string[]> {
  let login = await client.login({ username, password, scopes: ['items:read'] })
  while (!login.signedIn) login = await goOn(login.next).catch(goOnAfter)
  // @ts-expect-error a user who is signed in has no next step
  assert.ok(login.next.step)
  return login.recoveryCodes ?? []
}

async function goOn(next: NextStep): Promise<LoginResult> {
  switch (next.step) {
    case 'proveFactor':
      // @ts-expect-error only a new app has a secret
      assert.ok(next.secret)
      assert.ok(next.methods.includes('otp'))
      return next.methods.includes('passkey')
        ? next.proveFactor({ recoveryCode: '7k2m' })
        : next.proveFactor({ otp })
    case 'setUpFactor':
      return next.setUpApp(next.needsEmailCode ? { emailCode: '4820 1937' } : {})
    case 'confirmApp':
      assert.ok(`${next.secret}${next.uri}${next.qrSvg}`)
      return next.confirmApp({ otp })
    default:
      return next.provePassword({ username, password, otp })
  }
}

function goOnAfter(error: unknown): LoginResult {
  if (!(error instanceof ClientError) || !error.next) throw error
  return { signedIn: false, next: error.next }
}

/** Calls that must not compile. */
export function wrongCalls(client: ApiClient, next: NextStep): readonly unknown[] {
  return [
    // @ts-expect-error a login needs the password
    () => client.login({ username }),
    // @ts-expect-error not each step proves a factor
    () => next.proveFactor({ otp }),
    // @ts-expect-error one proof at a time
    () => next.step === 'proveFactor' && next.proveFactor({ otp, recoveryCode: '7k2m' }),
    // @ts-expect-error a new app has no recovery codes yet
    () => next.step === 'confirmApp' && next.confirmApp({ recoveryCode: '7k2m' }),
    // @ts-expect-error a step-up keeps the scopes of its session
    () => next.step === 'provePassword' && next.provePassword({ username, password, scopes: [] }),
    // @ts-expect-error fetch waits for the promise of the handler
    () => client.onStepUp(() => {}),
    // @ts-expect-error acr is a list
    () => client.stepUp({ acr: 'mfa' }),
  ]
}

it('the types of logins in steps accept correct calls and refuse wrong calls', () => {
  assert.equal(typeof logIn, 'function')
  assert.equal(wrongCalls.length, 2)
})
