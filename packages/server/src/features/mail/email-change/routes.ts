import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { describeFields, readFields, strictFields, stringField } from '../../../http/json-body.ts'
import {
  emptyAnswer,
  jsonAnswer,
  type GuardedRoute,
  type OpenRoute,
  type OptionalRoute,
  type Route,
} from '../../../http/route.ts'
import { currentPasswordField, emailField } from '../../users/accounts/account-fields.ts'
import { presentedOf, proofFields, requestIdSchema } from '../../users/accounts/proof-fields.ts'
import { provePassword, type ProofParts } from '../../users/accounts/own-credentials.ts'
import {
  accountRoute,
  outdated,
  ownAccount,
  taken,
  tooManyMails,
  tooManyTries,
  type AccountCaller,
} from '../../users/accounts/route-parts.ts'
import type { PublicUser, User, Users } from '../../users/accounts/users.ts'
import { byCaller, byStranger } from '../../operations/audit/audit.ts'
import type { By } from '../../operations/audit/entry.ts'
import { isSameMailbox, type ComparableName } from '../../users/directory/names.ts'
import { useOf } from '../../operations/limits/uses.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { Language } from '../messages/message.ts'
import { emailAddressRate, emailRate, emailServerRate } from './feature.ts'
import type { EmailChanges } from './email-changes.ts'

export interface EmailChangeRouteParts extends ProofParts {
  readonly users: Pick<Users, 'changeEmail'>
  /**
   * Undefined if Keystile sends no mails. Without mails, a new address is set at once, and the old
   * address cannot be restored.
   */
  readonly changes: EmailChanges | undefined
  /**
   * Whether each new address must be confirmed by a mail. Requires `changes`. If false, only an
   * address that replaces a verified address must be confirmed: see `changeAtOnceRoute()`.
   */
  readonly verifiesAddresses: boolean
}

export function emailChangeRoutes(parts: EmailChangeRouteParts): readonly Route<AccountCaller>[] {
  const { changes, verifiesAddresses } = parts
  if (!changes) return [changeAtOnceRoute(parts)]
  return verifiesAddresses
    ? [requestRoute(parts, changes), confirmRoute(changes), undoRoute(changes)]
    : [changeAtOnceRoute(parts), confirmRoute(changes), undoRoute(changes)]
}

const emailChange = strictFields({ current_password: currentPasswordField, new_email: emailField })

/**
 * What the two variants of `POST /users/me/email` have in common: one sets the address at once, and
 * the other waits for a confirmation.
 */
const emailRoute = {
  ...ownAccount,
  method: 'POST',
  path: '/users/me/email',
  isFirstPartyOnly: true,
} as const

/**
 * `POST /users/me/email`: changes the e-mail address at once. There is one exception: if Keystile
 * sends mails, a new address must first be confirmed if the old address is verified. Otherwise an
 * attacker could set another person's address in the attacker's own account, and wait until this
 * person uses the account. The link in the mail to the old address would later give the account
 * back to the attacker.
 */
function changeAtOnceRoute(parts: EmailChangeRouteParts): GuardedRoute<AccountCaller> {
  const { users, changes } = parts
  return {
    ...emailRoute,
    doc: {
      tag: 'Own account',
      summary: 'Change the e-mail address',
      description:
        'The new address is not verified. Sessions stay valid.' +
        (changes
          ? ' The old address gets a mail with a link that restores it. If the old address is ' +
            'verified, the address does not change yet: the new one gets a mail with a link and ' +
            'a code, valid for 24 hours. `Accept-Language` chooses the language of this mail.'
          : ''),
      body: { type: 'json', schema: describeFields(emailChange) },
      success: { status: 204, description: 'Changed' },
      ...(changes && { otherSuccess: requestedDoc }),
      refuses: {
        403: 'The current password is wrong, or the token was issued to another client',
        409: 'The email is taken, or the password was changed at the same time',
        429: tooManyTries,
      },
    },
    async handle(request, { identity, user }) {
      const fields = await readFields(emailChange, request)

      const by = byCaller(request, identity)
      await provePassword(fields.current_password, { user, by }, parts)

      await countChange(user, by, parts)
      if (changes && replacesVerified(user.publicUser, fields.new_email))
        return requestedAnswer(request, { changes, user, email: fields.new_email })

      const undo = changes?.prepareUndo(by)
      const outcome = await users.changeEmail(user, fields.new_email, by, undo)
      if (outcome === 'taken') throw taken('email', 'new_email')
      if (outcome === 'outdated') throw outdated()
      if (outcome === 'too-many-mails') throw tooManyMails()
      return emptyAnswer
    },
  }
}

async function countChange(
  { publicUser: { id } }: User,
  { address }: By,
  { limits, changes }: Pick<EmailChangeRouteParts, 'limits' | 'changes'>,
): Promise<void> {
  const ofMail = changes
    ? [useOf(emailServerRate, ''), ...limits.usesAt(emailAddressRate, address)]
    : []
  await limits.count([useOf(emailRate, id), ...ofMail])
}

/** Whether the old address is verified, and the new address belongs to another mailbox. */
function replacesVerified(
  { email, emailVerified }: PublicUser,
  { shown }: ComparableName,
): boolean {
  return emailVerified && !isSameMailbox(email, shown)
}

const requestedDoc = {
  status: 202,
  description: 'The id of the request, which is needed with the code',
  schema: requestIdSchema,
} as const

/** Sends a link and a code to the new address. */
async function requestedAnswer(
  { headers }: Pick<HttpRequestWithBody, 'headers'>,
  {
    changes,
    user,
    email,
  }: { readonly changes: EmailChanges; readonly user: User; readonly email: ComparableName },
): Promise<HttpAnswer> {
  const language: Language | '' = preferredLanguage(headers.get('accept-language')) ?? ''
  return jsonAnswer(202, { request_id: await changes.request(user, email, language) })
}

/** `POST /users/me/email`: sends a link and a code to the new address. */
function requestRoute(
  parts: EmailChangeRouteParts,
  changes: EmailChanges,
): GuardedRoute<AccountCaller> {
  return {
    ...emailRoute,
    doc: {
      tag: 'Own account',
      summary: 'Change the e-mail address',
      description:
        'Sends a mail with a link and a code to the new address, valid for 24 hours. The address ' +
        'changes when the user confirms it. The answer is the same if another user has the ' +
        'address. ' +
        '`Accept-Language` chooses the language of the mail.',
      body: { type: 'json', schema: describeFields(emailChange) },
      success: requestedDoc,
      refuses: {
        403: 'The current password is wrong, or the token was issued to another client',
        429: tooManyTries,
      },
    },
    async handle(request, { identity, user }) {
      const fields = await readFields(emailChange, request)

      const by = byCaller(request, identity)
      await provePassword(fields.current_password, { user, by }, parts)

      await countChange(user, by, parts)
      return requestedAnswer(request, { changes, user, email: fields.new_email })
    },
  }
}

const confirmation = strictFields({
  ...proofFields,
  password: currentPasswordField
    .meta({ description: 'The password of the account, if the request has no access token' })
    .optional(),
})

/** `POST /email-changes/confirm`: sets the new address. */
function confirmRoute(changes: EmailChanges): OptionalRoute<AccountCaller> {
  return {
    ...ownAccount,
    isOptional: true,
    isFirstPartyOnly: true,
    method: 'POST',
    path: '/email-changes/confirm',
    doc: {
      tag: 'Own account',
      summary: 'Confirm the new e-mail address',
      description:
        'Takes the token of the link, or the code with the id of the request. Needs an access ' +
        'token of the user, or the password. The old address gets a mail with a link that ' +
        'restores it within 7 days.',
      body: { type: 'json', schema: describeFields(confirmation) },
      success: { status: 204, description: 'Changed and verified' },
      refuses: {
        403:
          'The link, the code, the token or the password is wrong, or the link was used before ' +
          'or has expired',
        429: tooManyTries,
      },
    },
    async handle(request, caller) {
      const fields = await readFields(confirmation, request)
      const owner = { subject: caller?.identity.subject, password: fields.password }
      const by = caller ? byCaller(request, caller.identity) : byStranger(request)
      await changes.confirm(presentedOf(fields), owner, by)
      return emptyAnswer
    },
  }
}

const undoing = strictFields({
  token: stringField().meta({ description: 'The token of the link' }),
})

/** `POST /email-changes/undo`: restores the old address. */
function undoRoute(changes: EmailChanges): OpenRoute {
  return {
    ...accountRoute,
    method: 'POST',
    path: '/email-changes/undo',
    doc: {
      tag: 'Own account',
      summary: 'Undo a change of the e-mail address',
      description:
        'Restores the old address, cancels later changes, ends every session and disables the ' +
        'password. The user gets a mail to set a new password.',
      body: { type: 'json', schema: describeFields(undoing) },
      success: { status: 204, description: 'Restored' },
      refuses: {
        403: 'The link is wrong, was used before, or has expired',
        429: tooManyTries,
      },
    },
    async handle(request) {
      const { token } = await readFields(undoing, request)
      await changes.undo(token, byStranger(request))
      return emptyAnswer
    },
  }
}
