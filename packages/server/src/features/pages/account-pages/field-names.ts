// The names of fields that forms have besides the fields of a profile.

/** The field with the `formToken`. */
export const formTokenName = 'form_token'

/** The box with which a person accepts the terms of the app. */
export const acceptedName = 'accepted_urls'

/**
 * The field, and the parameter of a page, with the id of a request. With it, a page takes the code
 * of the mail in place of the token of its link.
 */
export const requestName = 'request_id'

/** No field of a profile may have the name of another field, or of a member of a request body. */
export const takenNames: ReadonlySet<string> = new Set([
  'token',
  requestName,
  'code',
  acceptedName,
  formTokenName,
])
