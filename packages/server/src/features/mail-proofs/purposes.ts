// The names of purposes that more than one feature knows.

/** A new password for a user who has forgotten theirs. */
export const passwordReset = 'password_reset'
