// The pages that end sessions: one, or all but that of this browser.
import { pointsOf } from '../../../pages/parts.ts'
import { accountFormPage } from './account-form.ts'
import type { AccountPage } from './account-page.ts'
import { homePage } from './home-page.ts'

/** The buttons that end one session are on the page of the account. */
export const devicesPage: AccountPage = {
  name: 'devices',
  section: 'devices',
  summaries: ['Your devices', 'End one session'],
  endpoint: 'DELETE /users/me/sessions/{id}',
  fieldNames: ['id'],
  show: (visit, tried) => homePage(visit, { refused: tried?.refused }),
  async submit(visit, form) {
    await visit.call('DELETE /users/me/sessions/{id}', { params: { id: form.get('id') ?? '' } })
    return 'device'
  },
  faultOf: () => undefined,
}

export const otherDevicesPage: AccountPage = {
  name: 'other-devices',
  section: 'devices',
  summaries: ['Log out on all other devices', 'End all sessions but that of this browser'],
  endpoint: 'DELETE /users/me/sessions',
  fieldNames: [],
  show(visit, tried) {
    const { heading, thisStays, button: label } = visit.reader.texts.accountHome.devices
    return accountFormPage(
      visit,
      {
        heading,
        intro: visit.account,
        name: 'other-devices',
        before: pointsOf(['computer', thisStays]),
        button: { label },
      },
      tried?.refused,
    )
  },
  async submit(visit) {
    await visit.call('DELETE /users/me/sessions', { query: 'except=current' })
    return 'devices'
  },
  faultOf: () => undefined,
}
