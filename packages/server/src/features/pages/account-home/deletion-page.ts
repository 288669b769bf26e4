import { markup } from '../../../pages/html.ts'
import { actionsOf, noteOf, pointsOf } from '../../../pages/parts.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { continueButton } from '../account-pages/ways-on.ts'
import { accountFormPage } from './account-form.ts'
import type { AccountPage } from './account-page.ts'

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
