import type { JsonObject } from 'keystile/internal'
import type { Method } from './methods/method.ts'
import { otpMethod } from './methods/otp.ts'
import { passwordMethod } from './methods/password.ts'
import { recoveryCodeMethod } from './methods/recovery-code.ts'

/** All methods, in the order in which a login tries them. */
export const methods: readonly Method[] = [passwordMethod, otpMethod, recoveryCodeMethod]

/** The parameters of all methods, for the forms of logins. */
export const methodParameters: Readonly<Record<string, JsonObject>> = Object.assign(
  {},
  ...methods.map(({ parameters }) => parameters),
)
