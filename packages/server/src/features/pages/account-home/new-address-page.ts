// The page on which people who are logged in confirm a new address with the link of the mail.
import type { HttpAnswer } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import { hiddenField } from '../../../pages/field.ts'
import { actionsOf, whoOf } from '../../../pages/parts.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { accountFormPage } from './account-form.ts'
import type { AccountPage } from './account-page.ts'
import { addressConfirmed } from './pending-email.ts'
import type { Visit } from './visit.ts'

/**
 * Uses the login of the browser. So this page can confirm the address of an account with a second
 * factor, which the page of the link cannot.
 */
export const newAddressPage: AccountPage = {
  name: 'new-address',
  section: 'profile',
  summaries: ['Confirm a new e-mail address, logged in', 'Confirm the address with a link'],
  endpoint: 'POST /email-changes/confirm',
  fieldNames: ['token'],
  async show(visit, tried) {
    const { change, loginPage, accountHome } = visit.reader.texts
    const { heading } = change
    const opened = visit.query.get('token')
    // A page whose address has a token would have to send no `Origin` with its form.
    if (opened !== null && !tried)
      return withCookies(seeOther(`${visit.home}/new-address`), [visit.kept.keep('link', opened)])

    const token = tried?.form.get('token') ?? visit.kept.read('link') ?? ''
    const address = await visit.newAddressOf(token)
    if (address === undefined) return wrongLinkPage(visit)
    return accountFormPage(
      visit,
      {
        heading,
        intro: accountHome.email.confirms(address),
        emblem: { icon: 'mail' },
        name: 'new-address',
        before: whoOf(visit.account, loginPage.again.account),
        hidden: hiddenField('token', token),
        button: { label: change.button },
      },
      tried?.refused,
    )
  },
  async submit(visit, form) {
    const json = { token: form.get('token') ?? '' }
    await visit.call('POST /email-changes/confirm', { json })
    return addressConfirmed(visit, 'email')
  },
  faultOf({ status }, { reader: { texts } }) {
    return status === 403 ? { text: texts.accountHome.email.wrongLink } : undefined
  },
}

function wrongLinkPage({ reader, home }: Visit): HttpAnswer {
  const { back: label, email } = reader.texts.accountHome
  const answer = sameOriginPage(reader, {
    heading: reader.texts.usedLink.heading,
    intro: email.wrongLink,
    emblem: { icon: 'link' },
    content: actionsOf({ label, href: home }),
  })
  return { ...answer, status: 403 }
}
