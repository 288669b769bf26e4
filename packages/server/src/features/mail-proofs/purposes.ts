// The names of purposes that more than one feature knows.

/** The purpose of a new password for a user who has forgotten the old one. */
export const passwordReset = 'password_reset'

/** An account whose user reads the mails to its address. */
export const emailVerification = 'email_verification'

/** A registration that becomes an account. */
export const registration = 'registration'

/** A new address for an account, whose mailbox its user reads. */
export const emailChange = 'email_change'

/** An account for a person whom an operator or the app has invited. */
export const invitation = 'invitation'
