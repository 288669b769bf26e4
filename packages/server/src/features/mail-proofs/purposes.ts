// The names of purposes that more than one feature knows.

/** The purpose of a new password for a user who has forgotten the old one. */
export const passwordReset = 'password_reset'
