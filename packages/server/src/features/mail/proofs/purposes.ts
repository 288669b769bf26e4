// The names of purposes that more than one feature knows.

export const passwordReset = 'password_reset'

/**
 * The purpose of links and codes that prove that a user reads the mails to the account's address.
 */
export const emailVerification = 'email_verification'

/** The purpose of links and codes that turn a registration into an account. */
export const registration = 'registration'

export const emailChange = 'email_change'

/**
 * The purpose of a proof that lets an invited person create an account. An operator or the app
 * invites the person.
 */
export const invitation = 'invitation'
