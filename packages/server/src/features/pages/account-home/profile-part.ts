// The part of the page of the account with the profile and the address.
import type { Form } from '../../../http/form.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { actionsOf, breakable, rowsOf, tagOf, type Row } from '../../../pages/parts.ts'
import type { Refused } from '../account-pages/faults.ts'
import { drawAccountForm } from './account-form.ts'
import type { OwnUser } from './endpoint-answers.ts'
import { rowButton, type HomePart } from './home-part.ts'
import { pendingChange } from './pending-email.ts'
import type { Visit } from './visit.ts'

export interface ProfileShown {
  readonly refused?: Refused | undefined
  /** What the person has typed into the form of the profile. */
  readonly typed?: Form | undefined
}

/** Returns the part; undefined if the users are the app's own. */
export async function profilePart(
  visit: Visit,
  shown: ProfileShown,
): Promise<HomePart | undefined> {
  if (!visit.has('GET /users/me')) return undefined

  const { profile: texts } = visit.reader.texts.accountHome
  const user = await visit.call('GET /users/me')
  return {
    id: 'profile',
    title: texts.title,
    hint: texts.hint,
    content: markup`${profileForm(visit, user, shown)}
${rowsOf([emailRow(visit, user), ...pendingRow(visit, user)])}
${verifyButton(visit, user)}`,
  }
}

/** Undefined if a form cannot show any field of the profile. */
function profileForm(
  visit: Visit,
  user: OwnUser,
  { typed, refused }: ProfileShown,
): Html | undefined {
  const { reader, settings } = visit
  const { button: label } = reader.texts.accountHome.profile
  if (settings.profile.names.length === 0) return undefined

  const values = typed ?? settings.profile.write(user)
  return drawAccountForm(
    visit,
    {
      name: 'profile',
      fields: settings.profile.show(values, reader.texts),
      end: actionsOf({ label, isSlim: true }),
    },
    refused,
  )
}

function emailRow(visit: Visit, { email, email_verified: isVerified }: OwnUser): Row {
  const { email: texts, change } = visit.reader.texts.accountHome
  const state = isVerified ? tagOf(texts.confirmed, 'done') : tagOf(texts.unconfirmed, 'care')
  return {
    title: texts.title,
    hint: email === null ? texts.none : markup`${breakable(email)}${state}`,
    action: rowButton(visit, 'email', change, texts.title),
  }
}

/** The new address that waits for the code in a mail, if there is one. */
function pendingRow(visit: Visit, { email }: OwnUser): readonly Row[] {
  const pending = pendingChange(visit, email)
  if (!pending) return []

  const { email: texts } = visit.reader.texts.accountHome
  return [
    {
      title: texts.label,
      hint: markup`${breakable(pending.email)}${tagOf(texts.waits, 'care')}`,
      action: rowButton(visit, 'email', texts.enterCode, texts.label),
    },
  ]
}

/** Undefined if the address is verified, or if Keystile sends no mails. */
function verifyButton(visit: Visit, user: OwnUser): Html | undefined {
  const isNeeded = user.email !== null && !user.email_verified
  if (!isNeeded || !visit.has('POST /email-verifications')) return undefined

  const { button: label } = visit.reader.texts.accountHome.verification.sent
  const href = `${visit.home}/verification`
  return actionsOf({ label, href, kind: 'second', isSlim: true })
}
