// The endpoints that change the e-mail address. If Keystile sends no mails, there is no flow, and
// `changeRoute` changes the address at once.
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields } from '../../../http/fields.ts'
import { readFields } from '../../../http/json-body.ts'
import type { GuardedRoute, OptionalRoute, RouteDoc } from '../../../http/route.ts'
import { byCaller, byStranger } from '../../operations/audit/by.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf, type Spent, type Use } from '../../operations/limits/uses.ts'
import { currentPasswordField, emailField } from '../../users/accounts/account-fields.ts'
import {
  ownAccount,
  tooManyTries,
  type AccountCaller,
  type AccountParts,
} from '../../users/accounts/account-route.ts'
import { provePassword } from '../../users/accounts/prove-password.ts'
import { outdated, taken, tooManyMails } from '../../users/accounts/refusals.ts'
import type { User } from '../../users/accounts/user.ts'
import { isSameMailbox, type ComparableName } from '../../users/directory/names.ts'
import { languageFor, presentedOf, proofFields, requestAccepted } from '../flows/endpoint-parts.ts'
import type { EmailChangeParts, EmailChanges } from './change-types.ts'
import { emailRates } from './feature.ts'

const emailChange = strictFields({ current_password: currentPasswordField, new_email: emailField })

interface ChangeMails extends Pick<EmailChangeParts, 'undo' | 'verifiesAddresses'> {
  readonly changes: Pick<EmailChanges, 'request'>
}

/**
 * `POST /users/me/email`: changes the e-mail address. If Keystile sends mails and addresses must be
 * verified, sends a link and a code to the new address instead. It does so too if the old address
 * is verified. Otherwise an attacker could set another person's address in the attacker's own
 * account, and wait until this person uses the account. The link in the mail to the old address
 * would later give the account back to the attacker.
 *
 * @param mails undefined if Keystile sends no mails. Then the old address cannot be restored
 */
export function changeRoute(parts: AccountParts, mails?: ChangeMails): GuardedRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/users/me/email', {
      summary: 'Change the e-mail address',
      body: { type: 'json', schema: describeFields(emailChange) },
      ...describeChange(mails),
    }),
    needsFactor: true,
    async handle(request, { identity, user }) {
      const { current_password, new_email: email } = await readFields(emailChange, request)
      const by = byCaller(request, identity)
      const { authenticatedAt: loggedInAt } = identity
      await provePassword(current_password, { user, by, loggedInAt }, parts)

      const { limits, users } = parts
      const spent = await limits.count([
        useOf(emailRates.user, user.publicUser.id),
        ...(mails ? mailUsesOf(by, limits) : []),
      ])

      if (mails && mustConfirm(email, { user, acr: identity.acr }, mails)) {
        const requestId = await mails.changes.request(user, email, languageFor(request))
        return jsonAnswer(202, { request_id: requestId })
      }

      const outcome = await users.changeEmail(user, email, by, mails?.undo.prepare(by))
      if (outcome === 'changed') return emptyAnswer

      await limits.refund(serverUseOf(spent))
      throw refusals[outcome]()
    },
  }
}

/** Whether a mail to the new address must confirm the change before it happens. */
function mustConfirm(
  email: ComparableName,
  { user, acr }: { readonly user: User; readonly acr: string | undefined },
  { verifiesAddresses }: ChangeMails,
): boolean {
  if (verifiesAddresses) return true

  const { email: old, emailVerified } = user.publicUser
  if (isSameMailbox(old, email.shown)) return false
  // A reset by a mailbox that was never confirmed would remove the factor.
  return emailVerified || acr === 'mfa'
}

/** Why an address was not changed at once. */
const refusals = {
  taken: () => taken('email', 'new_email'),
  outdated,
  'too-many-mails': tooManyMails,
}

/** Returns the uses of a change that sends a mail. */
function mailUsesOf({ address }: By, limits: Limits): readonly Use[] {
  return [useOf(emailRates.server, ''), ...limits.usesAt(emailRates.address, address)]
}

/** Returns the use that all callers share. A change that causes no mail must not use it up. */
function serverUseOf({ uses, at }: Spent): Spent {
  return { uses: uses.filter(({ rate }) => rate === emailRates.server), at }
}

function describeChange(mails: ChangeMails | undefined): ChangeDoc {
  if (!mails) return changedAtOnce
  return mails.verifiesAddresses ? alwaysConfirmed : sometimesConfirmed
}

type ChangeDoc = Pick<RouteDoc, 'description' | 'success' | 'otherSuccess' | 'refuses'>

const refuses = {
  403: 'The current password is wrong, or the token was issued to another client',
  429: tooManyTries,
}

const alwaysConfirmed: ChangeDoc = {
  description:
    'Sends a mail with a link and a code to the new address, valid for 24 hours. The address ' +
    'changes when the user confirms it. The answer is the same if another user has the ' +
    'address. ' +
    '`Accept-Language` chooses the language of the mail.',
  success: requestAccepted,
  refuses,
}

const changedAtOnce: ChangeDoc = {
  description: 'The new address is not verified. Sessions stay valid.',
  success: { status: 204, description: 'Changed' },
  refuses: {
    ...refuses,
    409: 'The email is taken, or the password was changed at the same time',
  },
}

const sometimesConfirmed: ChangeDoc = {
  ...changedAtOnce,
  description:
    `${changedAtOnce.description} The old address gets a mail with a link that restores it. If ` +
    'the old address is verified, or the account has a second factor, the address does not ' +
    'change yet: the new one gets a mail with a link and a code, valid for 24 hours. ' +
    '`Accept-Language` chooses the language of this mail.',
  otherSuccess: requestAccepted,
}

const confirmation = strictFields({
  ...proofFields,
  password: currentPasswordField
    .meta({ description: 'The password of the account, if the request has no access token' })
    .optional(),
})

/** `POST /email-changes/confirm`: sets the new address. */
export function confirmRoute(changes: Pick<EmailChanges, 'confirm'>): OptionalRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/email-changes/confirm', {
      summary: 'Confirm the new e-mail address',
      description:
        'Takes the token of the link, or the code with the id of the request. Needs an access ' +
        'token of the user, or the password. If the account needs a second factor, it needs the ' +
        'token of a login with it. The old address gets a mail with a link that ' +
        'restores it within 7 days.',
      body: { type: 'json', schema: describeFields(confirmation) },
      success: { status: 204, description: 'Changed and verified' },
      refuses: {
        403:
          'The link, the code, the token or the password is wrong, or the link was used before ' +
          'or has expired. Or the account needs a second factor, and the request does not prove it',
        429: tooManyTries,
      },
    }),
    isOptional: true,
    async handle(request, caller) {
      const fields = await readFields(confirmation, request)
      const owner = { subject: caller?.identity.subject, password: fields.password }
      const by = caller ? byCaller(request, caller.identity) : byStranger(request)
      await changes.confirm(presentedOf(fields), owner, by)
      return emptyAnswer
    },
  }
}
