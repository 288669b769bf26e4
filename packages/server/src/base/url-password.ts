/** What error messages say about a URL that may contain a password. */
export const encodePassword =
  'percent-encode special characters of the password, such as # as %23 and @ as %40'
