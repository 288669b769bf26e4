/** The purpose of links and codes for a new password. A changed password makes them invalid too. */
export const passwordReset = 'password_reset'

/** The purpose of links that undo the first second factor. A restore keeps them. */
export const firstFactorAdded = 'first_factor_added'
