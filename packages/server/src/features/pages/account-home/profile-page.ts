import type { Form } from '../../../http/form.ts'
import { brokenRule, fieldIn } from '../account-pages/faults.ts'
import type { AccountPage } from './account-page.ts'
import { homePage } from './home-page.ts'
import type { Visit } from './visit.ts'

/** Changes the profile. Its form is on the page of the account, which is also shown for faults. */
export const profilePage: AccountPage = {
  name: 'profile',
  section: 'profile',
  summaries: ['Your profile', 'Change profile fields'],
  endpoint: 'PATCH /users/me',
  fieldNames: [],
  show: (visit, tried) => homePage(visit, { refused: tried?.refused, typed: tried?.form }),
  async submit(visit, form) {
    const emptied = await emptiedFields(visit, form)
    const json = { ...visit.settings.profile.read(form), ...emptied }
    await visit.call('PATCH /users/me', { json })
    return 'profile'
  },
  faultOf(error, { reader }) {
    if (error.status !== 422) return undefined
    return { field: fieldIn(error), text: brokenRule(error, reader, reader.texts.faults.input) }
  },
}

/**
 * Returns the fields that have a value in the profile and none in the form, with an empty value of
 * their type. The schema of the profile decides whether they may be empty.
 */
async function emptiedFields(visit: Visit, form: Form): Promise<object> {
  const stored = await visit.call('GET /users/me')
  const emptied = visit.settings.profile.names.filter(
    (name) => !form.has(name) && (stored[name] ?? '') !== '',
  )
  return Object.fromEntries(
    emptied.map((name) => [name, typeof stored[name] === 'string' ? '' : null]),
  )
}
