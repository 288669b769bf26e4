// The pages on which people change their profile and password, and delete the account.
import { seeOther } from '../../../http/route.ts'
import { markup } from '../../../pages/html.ts'
import { actionsOf, noteOf, pointsOf } from '../../../pages/parts.ts'
import { brokenRule, fieldIn, passwordFaultOf } from '../account-pages/faults.ts'
import { newPasswordField } from '../account-pages/fields.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { continueButton } from '../account-pages/ways-on.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { accountFormPage, currentPasswordField } from './account-form.ts'
import type { AccountPage } from './account-page.ts'
import { homePage } from './home-page.ts'

/** The form of the profile is on the page of the account. */
export const profilePage: AccountPage = {
  name: 'profile',
  section: 'profile',
  summaries: ['Your profile', 'Change profile fields'],
  endpoint: 'PATCH /users/me',
  fieldNames: [],
  show: (visit, tried) => homePage(visit, { refused: tried?.refused, typed: tried?.form }),
  async submit(visit, form) {
    const { names, read } = visit.settings.profile
    const stored = (await visit.call('GET /users/me')) as Readonly<Record<string, unknown>>
    // An empty field is not in the form. The profile schema decides whether it may be empty.
    const emptied = names.filter((name) => !form.has(name) && (stored[name] ?? '') !== '')
    const empty = emptied.map((name) => [name, typeof stored[name] === 'string' ? '' : null])
    await visit.call('PATCH /users/me', { json: { ...read(form), ...Object.fromEntries(empty) } })
    return 'profile'
  },
  faultOf(error, { reader }) {
    if (error.status !== 422) return undefined
    return { field: fieldIn(error), text: brokenRule(error, reader, reader.texts.faults.input) }
  },
}

export const passwordPage: AccountPage = {
  name: 'password',
  section: 'sign-in',
  summaries: ['Change the password', 'Submit the form to change the password'],
  endpoint: 'POST /users/me/password',
  fieldNames: ['current_password', 'new_password'],
  show(visit, tried) {
    const { reader, settings, account } = visit
    const { texts } = reader
    const refused = tried?.refused
    const label = texts.newPassword
    const { minLength } = settings
    return accountFormPage(
      visit,
      {
        ...texts.accountHome.password,
        name: 'password',
        // Password managers store the new password under this name.
        hidden: markup`<input class="unseen" value="${account}" autocomplete="username"
readonly tabindex="-1" aria-label="${texts.login}">`,
        fields: [
          currentPasswordField(visit),
          newPasswordField({ name: 'new_password', label }, texts, { minLength, refused }),
        ],
        button: { label: texts.accountHome.password.button },
      },
      refused,
    )
  },
  async submit(visit, form) {
    const json = {
      current_password: form.get('current_password') ?? '',
      new_password: form.get('new_password') ?? '',
    }
    await visit.call('POST /users/me/password', { json })
    // A new password cancels a change of the address that waits for its code.
    return withCookies(seeOther(visit.home), [visit.say('password'), visit.kept.drop('address')])
  },
  faultOf(error, { reader }) {
    const { faults } = reader.texts
    if (passwordFaultOf(error))
      return { field: 'new_password', text: brokenRule(error, reader, faults.otherPassword) }
    const isWrong = error.status === 403
    return isWrong ? { field: 'current_password', text: faults.wrongPassword } : undefined
  },
}

export const deletionPage: AccountPage = {
  name: 'delete',
  section: 'delete',
  summaries: ['Delete the account', 'Submit the form to delete the account'],
  endpoint: 'DELETE /users/me',
  fieldNames: [],
  show(visit, tried) {
    const { deletion: texts } = visit.reader.texts.accountHome
    return accountFormPage(
      visit,
      {
        heading: texts.heading,
        intro: visit.account,
        name: 'delete',
        before: markup`${pointsOf(['computer', texts.loggedOut], ['warning', texts.erased])}
${noteOf(texts.final, { tone: 'wrong' })}`,
        button: { label: texts.button, kind: 'danger' },
        cancel: texts.keep,
      },
      tried?.refused,
    )
  },
  async submit(visit) {
    await visit.call('DELETE /users/me')
    const { reader } = visit
    const { heading, text: intro } = reader.texts.accountHome.deletion.done
    const answer = sameOriginPage(reader, {
      heading,
      intro,
      emblem: { icon: 'check', tone: 'done' },
      content: actionsOf(continueButton(reader)),
    })
    return visit.loggedOut(answer)
  },
  faultOf({ status }, { reader: { texts } }) {
    return status === 409 ? { text: texts.accountHome.deletion.lastAdministrator } : undefined
  },
}
