// The names of purposes that more than one feature knows.

/** The purpose of a proof that lets a user set a new password without the old one. */
export const passwordReset = 'password_reset'

/** The purpose of a proof that verifies the e-mail address of an account. */
export const emailVerification = 'email_verification'

/** The purpose of a proof that turns a registration into an account. */
export const registration = 'registration'

/** The purpose of a proof that gives an account a new address. */
export const emailChange = 'email_change'

/**
 * The purpose of a proof that lets an invited person create an account. An operator or the app
 * invites the person.
 */
export const invitation = 'invitation'
