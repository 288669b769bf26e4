import type { HttpAnswer } from 'keystile/internal'
import { actionsOf } from '../../../pages/parts.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import type { Visit } from './visit.ts'

/**
 * Returns the page for a person without an authenticator app; undefined if the person has one. A
 * person may come to a page about the app by Back, or from another tab, after its removal.
 */
export async function noAppPage({
  call,
  reader,
  home,
  settings,
}: Visit): Promise<HttpAnswer | undefined> {
  const { totp } = await call('GET /users/me/factors')
  if (totp) return undefined

  const { accountHome, loginPage } = reader.texts
  const { heading, text: intro } = accountHome.app.missing
  const back = { label: accountHome.back, href: home }
  const setUp = { label: loginPage.enrol.heading, href: `${home}/app`, kind: 'second' } as const
  return sameOriginPage(reader, {
    heading,
    intro,
    emblem: { icon: 'app' },
    content: actionsOf(back, ...(settings.offersApp ? [setUp] : [])),
  })
}
