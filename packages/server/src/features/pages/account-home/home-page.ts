// The page `/account`: what a person has, in sections, with a way to change each.
import type { HttpAnswer } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import {
  actionsOf,
  breakable,
  buttonOf,
  faultOf,
  jumpOf,
  linkedOf,
  noteOf,
  partOf,
  rowsOf,
  tagOf,
  type Part,
  type Row,
} from '../../../pages/parts.ts'
import type { Refused } from '../account-pages/faults.ts'
import { formTokenField, sameOriginPage } from '../account-pages/form.ts'
import { formatTime } from '../account-pages/format-time.ts'
import { savedName } from '../login-pages/codes-page.ts'
import { drawAccountForm } from './account-form.ts'
import type { Section } from './account-page.ts'
import { drawDevices } from './devices.ts'
import { readFactors } from './own-factors.ts'
import { pendingChange } from './pending-email.ts'
import type { Done, Visit } from './visit.ts'

type Drawn = Part & { readonly id: Section }

interface Shown {
  readonly done?: Done | undefined
  /** Whether the person has just logged in with a recovery code. */
  readonly hasUsedCode?: boolean
  readonly refused?: Refused | undefined
  /** What the person has typed into the form of the profile. */
  readonly typed?: Form | undefined
}

export async function homePage(visit: Visit, shown: Shown): Promise<HttpAnswer> {
  const { reader, account } = visit
  const { done, refused, hasUsedCode } = shown
  const texts = reader.texts.accountHome
  const parts = [
    await profilePart(visit, shown),
    await signInPart(visit),
    await devicesPart(visit),
    deletionPart(visit),
  ].filter((part) => part !== undefined)

  const isOfField =
    refused?.field !== undefined && visit.settings.profile.names.includes(refused.field)
  const links = parts.map(({ id, title }) => ({ label: title, href: `#${id}` }))
  return sameOriginPage(
    reader,
    {
      heading: texts.heading,
      intro: account,
      isWide: true,
      corner: logOutForm(visit),
      content: markup`${done && noteOf(texts.done[done], { tone: 'done' })}
${done && unsavedNote(visit, done)}
${hasUsedCode ? await usedCodeNote(visit) : undefined}
${refused && !isOfField ? faultOf(refused.text) : undefined}
${jumpOf(texts.sections, links)}
${joined(parts.map(partOf))}`,
    },
    refused,
  )
}

function logOutForm({ reader }: Visit): Html {
  const { logOut } = reader.texts.accountHome
  return markup`<form class="end" method="post" action="${reader.brand.base}/logout">
${formTokenField(reader)}<button>${logOut}</button>
</form>`
}

/** Warns a person who has left the page with new recovery codes and has not ticked its box. */
function unsavedNote({ query, reader, home }: Visit, done: Done): Html | undefined {
  const hasCodes = done === 'app' || done === 'codes'
  if (!hasCodes || query.has(savedName)) return undefined

  const { unsaved } = reader.texts.accountHome.codes
  return noteOf(linkedOf(unsaved, { href: `${home}/recovery-codes` }), { tone: 'care' })
}

/** Says what a login with a recovery code has cost, and what to do if the app is lost. */
async function usedCodeNote(visit: Visit): Promise<Html | undefined> {
  const { used, left, lost } = visit.reader.texts.accountHome.codes
  const { totp, recovery_codes: count } = await readFactors(visit)
  if (!totp) return undefined

  const { offersApp } = visit.settings
  const replace = offersApp ? linkedOf(lost, { href: `${visit.home}/app` }) : undefined
  return noteOf(markup`${used} ${left(count)}. ${replace}`, { tone: 'care' })
}

async function profilePart(visit: Visit, shown: Shown): Promise<Drawn | undefined> {
  if (!visit.has('GET /users/me')) return undefined

  const { profile: texts } = visit.reader.texts.accountHome
  const user = (await visit.call('GET /users/me')) as OwnUser
  return {
    id: 'profile',
    title: texts.title,
    hint: texts.hint,
    content: markup`${profileForm(visit, user, shown)}
${rowsOf([emailRow(visit, user), ...pendingRow(visit, user)])}
${verifyButton(visit, user)}`,
  }
}

type OwnUser = Readonly<Record<string, unknown>> & {
  readonly email: string | null
  readonly email_verified: boolean
}

/** Undefined if a form cannot show any field of the profile. */
function profileForm(visit: Visit, user: OwnUser, { typed, refused }: Shown): Html | undefined {
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

async function signInPart(visit: Visit): Promise<Drawn> {
  const { signIn: texts, change } = visit.reader.texts.accountHome
  const { password: title } = visit.reader.texts
  const password: Row = {
    icon: 'lock',
    title,
    action: rowButton(visit, 'password', change, title),
  }
  return {
    id: 'sign-in',
    title: texts.title,
    hint: texts.hint,
    content: rowsOf([
      ...(visit.has('POST /users/me/password') ? [password] : []),
      ...(await factorRows(visit)),
    ]),
  }
}

async function factorRows(visit: Visit): Promise<readonly Row[]> {
  const { app, codes } = visit.reader.texts.accountHome
  const { totp, recovery_codes: left, recovery_codes_created_at: madeAt } = await readFactors(visit)
  const { offersApp } = visit.settings
  if (!totp)
    return [
      {
        icon: 'app',
        title: app.title,
        hint: app.off,
        action: offersApp ? rowButton(visit, 'app', app.setUp, app.title) : undefined,
      },
    ]

  const day = (time: string): string => formatTime(time, visit.reader.language, 'days')
  const changes = [
    ...(offersApp ? [rowButton(visit, 'app', app.replace, app.title)] : []),
    ...(visit.needsFactor ? [] : [rowButton(visit, 'remove-app', app.remove, app.title)]),
  ]
  return [
    {
      icon: 'app',
      title: markup`${app.title}${tagOf(app.on, 'done')}`,
      hint: app.since(day(totp.created_at)),
      action: joined(changes),
    },
    {
      icon: 'sheet',
      title: codes.title,
      hint: madeAt === null ? codes.left(left) : `${codes.left(left)}. ${codes.made(day(madeAt))}`,
      action: rowButton(visit, 'recovery-codes', codes.renew, codes.title),
    },
  ]
}

async function devicesPart(visit: Visit): Promise<Drawn> {
  const { title, hint } = visit.reader.texts.accountHome.devices
  return { id: 'devices', title, hint, content: await drawDevices(visit) }
}

function deletionPart(visit: Visit): Drawn | undefined {
  if (!visit.has('DELETE /users/me')) return undefined

  const { title, hint, text, open: label } = visit.reader.texts.accountHome.deletion
  const href = `${visit.home}/delete`
  return {
    id: 'delete',
    title,
    hint,
    content: markup`<p>${text}</p>
${actionsOf({ label, href, kind: 'second', isSlim: true })}`,
  }
}

/**
 * Writes the button of a row, which leads to one of the pages.
 *
 * @param of what only screen readers say after the label: the name of the row
 */
function rowButton({ home }: Visit, name: string, label: string, of: string): Html {
  return buttonOf({ label, href: `${home}/${name}`, kind: 'second', isSlim: true, of: ` ${of}` })
}
