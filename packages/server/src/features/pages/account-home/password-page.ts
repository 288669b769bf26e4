import { seeOther } from '../../../http/answers.ts'
import { markup } from '../../../pages/html.ts'
import { brokenRule, passwordFaultOf } from '../account-pages/faults.ts'
import { newPasswordField } from '../account-pages/fields.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { accountFormPage, currentPasswordField } from './account-form.ts'
import type { AccountPage } from './account-page.ts'

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
