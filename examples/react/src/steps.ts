// The forms of the page: log in, prove or set up a second factor, register, set a new password.
import { ClientError, type LoginResult, type NextStep } from 'keystile/client'
import { client, confirmApp, createApp, type NewApp } from './auth.ts'

export type FieldName =
  | 'login'
  | 'username'
  | 'email'
  | 'password'
  | 'newPassword'
  | 'code'
  | 'recoveryCode'

/** A form of the page. */
export interface Step {
  readonly title: string
  readonly hint?: string
  readonly fields: readonly FieldName[]
  /** A new authenticator app, to be shown as a QR code. */
  readonly app?: NewApp
  readonly recoveryCodes?: readonly string[]
  /** Another form that does the same. */
  readonly instead?: Step
  /** Sends the form. Returns the next form, or undefined if nothing is left to do. */
  submit(values: Readonly<Record<FieldName, string>>): Promise<Step | undefined>
}

export const login: Step = {
  title: 'Log in',
  fields: ['username', 'password'],
  async submit({ username, password }) {
    return afterLogin(await client.login({ username, password }))
  },
}

function afterLogin(result: LoginResult): Step | undefined {
  if (!result.signedIn) return stepOf(result.next)
  return result.recoveryCodes && showRecoveryCodes(result.recoveryCodes)
}

/** The form for what a login or a step-up still needs. */
export function stepOf(next: NextStep): Step {
  switch (next.step) {
    case 'proveFactor': {
      const withApp: Step = {
        title: 'Send the code',
        hint: 'Your authenticator app shows a code.',
        fields: ['code'],
        submit: async ({ code: otp }) => afterLogin(await next.proveFactor({ otp })),
      }
      const withRecoveryCode: Step = {
        title: 'Use a recovery code',
        hint: 'Each of your recovery codes works once.',
        fields: ['recoveryCode'],
        submit: async ({ recoveryCode }) => afterLogin(await next.proveFactor({ recoveryCode })),
      }
      if (!next.methods.includes('otp')) return withRecoveryCode
      if (!next.methods.includes('recovery_code')) return withApp
      return { ...withApp, instead: { ...withRecoveryCode, instead: withApp } }
    }
    case 'setUpFactor':
      return {
        title: 'Set up a second factor',
        hint: next.needsEmailCode
          ? 'You need an authenticator app on your phone. We have sent a code to your address.'
          : 'You need an authenticator app on your phone.',
        fields: next.needsEmailCode ? ['code'] : [],
        submit: async ({ code: emailCode }) => afterLogin(await next.setUpApp({ emailCode })),
      }
    case 'confirmApp':
      return scanApp(next, async (otp) => afterLogin(await next.confirmApp({ otp })))
    case 'provePassword':
      return {
        title: 'Confirm that it is you',
        hint: 'Your last login was too long ago.',
        fields: ['username', 'password'],
        submit: async ({ username, password }) =>
          afterLogin(await next.provePassword({ username, password })),
      }
  }
}

/** For users who are logged in and may have a second factor. */
export const newApp: Step = {
  title: 'Set up an authenticator app',
  fields: [],
  submit: async () =>
    scanApp(await createApp(), async (code) => showRecoveryCodes(await confirmApp(code))),
}

function scanApp(app: NewApp, submit: (code: string) => Promise<Step | undefined>): Step {
  return {
    title: 'Confirm the app',
    hint: 'Scan the picture with your authenticator app, and enter the code that the app shows.',
    app,
    fields: ['code'],
    submit: ({ code }) => submit(code),
  }
}

function showRecoveryCodes(recoveryCodes: readonly string[]): Step {
  return {
    title: 'I have kept them',
    hint: 'Without your phone, each of these codes lets you in once. We never show them again.',
    recoveryCodes,
    fields: [],
    submit: async () => undefined,
  }
}

/** The form after an error; undefined if the user can correct the same form. */
export function startAgain(error: unknown): Step | undefined {
  const isOver = error instanceof ClientError && error.code === 'invalid_session'
  return isOver ? { ...login, hint: error.message } : undefined
}

export const registration: Step = {
  title: 'Register',
  fields: ['username', 'email', 'newPassword'],
  async submit({ username, email, newPassword: password }) {
    const registered = await client.register({ username, email, password })
    if (registered.isPending) return confirmation(registered.registrationId, username, password)
    return afterLogin(await client.login({ username, password }))
  },
}

function confirmation(registrationId: string, username: string, password: string): Step {
  return {
    title: 'Confirm your address',
    hint:
      'We have sent you a mail. Open its link, or enter its code here. If no mail comes, look for ' +
      'it among the spam. Register again after two minutes, or if again none comes, six hours later.',
    fields: ['code'],
    async submit({ code }) {
      await client.finishRegistration({ registrationId, code })
      return afterLogin(await client.login({ username, password }))
    },
  }
}

export const forgottenPassword: Step = {
  title: 'Forgot your password?',
  fields: ['login'],
  async submit({ login: name }) {
    const { requestId } = await client.requestPasswordReset({ login: name })
    return newPassword(requestId)
  },
}

function newPassword(requestId: string): Step {
  return {
    title: 'Set a new password',
    hint: 'If there is such an account, we have sent a mail. Open its link, or enter its code here.',
    fields: ['code', 'newPassword'],
    async submit({ code, newPassword: password }) {
      await client.resetPassword({ requestId, code, password })
      return { ...login, hint: 'Your password is set. Log in with it.' }
    },
  }
}
