/**
 * The fix for a URL that is not valid, in the messages about `database` and `mailUrl`: the cause is
 * often a password that was not percent-encoded.
 */
export const howToEncodePassword =
  'percent-encode special characters of the password, such as # as %23 and @ as %40'
