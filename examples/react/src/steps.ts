// The forms of the page: log in, register, and set a new password.
import { client } from './auth.ts'

export type FieldName = 'login' | 'username' | 'email' | 'password' | 'newPassword' | 'code'

/** A form of the page. */
export interface Step {
  readonly title: string
  readonly hint?: string
  readonly fields: readonly FieldName[]
  /** Sends the form. Returns the next form, or undefined if the user is logged in. */
  submit(values: Readonly<Record<FieldName, string>>): Promise<Step | undefined>
}

export const login: Step = {
  title: 'Log in',
  fields: ['username', 'password'],
  async submit({ username, password }) {
    await client.login({ username, password })
    return undefined
  },
}

export const registration: Step = {
  title: 'Register',
  fields: ['username', 'email', 'newPassword'],
  async submit({ username, email, newPassword: password }) {
    const registered = await client.register({ username, email, password })
    if (registered.isPending) return confirmation(registered.registrationId, username, password)
    await client.login({ username, password })
    return undefined
  },
}

function confirmation(registrationId: string, username: string, password: string): Step {
  return {
    title: 'Confirm your address',
    hint:
      'We have sent you a mail. Open its link, or enter its code here. If no mail comes, look for ' +
      'it among the spam, and register again six hours later.',
    fields: ['code'],
    async submit({ code }) {
      await client.finishRegistration({ registrationId, code })
      await client.login({ username, password })
      return undefined
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
