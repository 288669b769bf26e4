// The names of purposes that more than one feature knows.

/** The purpose of a new password for a user who has forgotten the old one. */
export const passwordReset = 'password_reset'

/** The purpose of a proof that the user of an account reads the mails to its address. */
export const emailVerification = 'email_verification'

/** The purpose of a registration that becomes an account. */
export const registration = 'registration'

/** The purpose of a new address for an account. */
export const emailChange = 'email_change'

/** The purpose of an account for a person whom an operator or the app has invited. */
export const invitation = 'invitation'
