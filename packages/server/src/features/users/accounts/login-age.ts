// How recent a login must be for what a stolen token must not allow.

/**
 * How old a login may be, in seconds, that deletes the account or changes its second factors. A
 * stolen token of an older login is not enough.
 */
export const recentLoginSeconds = 300

/**
 * How old the login may be that ends the set-up of an app. The set-up began after a recent login,
 * and to install an app takes a while.
 */
export const setUpLoginSeconds: number = 3 * recentLoginSeconds
