/** The purpose of links and codes for a new password. A changed password makes them invalid too. */
export const passwordReset = 'password_reset'
