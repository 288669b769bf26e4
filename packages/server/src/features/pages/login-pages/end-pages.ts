// The pages on which a login or a log-out ends.
import type { HttpAnswer } from 'keystile/internal'
import { actionsOf, buttonOf, linksOf } from '../../../pages/parts.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { continueButton } from '../account-pages/ways-on.ts'
import { stepAnswer, stepFormPage, warning, type StepFault } from './step-form.ts'

/** The login has expired, has ended, or began in another browser. */
export function expiredPage(reader: PageReader): HttpAnswer {
  const { heading, text } = reader.texts.loginPage.expired
  return brokenPage(reader, heading, { kind: 'wrong', text })
}

/** The login has ended after a refusal. */
export function refusedPage(reader: PageReader, fault: StepFault): HttpAnswer {
  return brokenPage(reader, reader.texts.refusalPage.refused.heading, fault)
}

/** The login has ended after several wrong codes. */
export function wrongCodesPage(reader: PageReader, fault: StepFault): HttpAnswer {
  return brokenPage(reader, reader.texts.loginPage.wrongCodes.heading, fault)
}

/** The browser has sent no cookie of the page with the form. */
export function cookiesOffPage(reader: PageReader): HttpAnswer {
  const { heading, text } = reader.texts.loginPage.cookiesOff
  return brokenPage(reader, heading, { kind: 'wrong', text })
}

/** A page from which a person can only begin again. */
function brokenPage(reader: PageReader, heading: string, fault: StepFault): HttpAnswer {
  const { button: label } = reader.texts.loginPage.expired
  return stepAnswer(reader, {
    heading,
    intro: fault.text,
    emblem: warning,
    content: buttonOf({ label, href: `${reader.brand.base}/login` }),
    fault,
  })
}

export function logoutPage(reader: PageReader): HttpAnswer {
  const { heading, intro, button } = reader.texts.loginPage.logout
  const { base } = reader.brand
  const back = { label: reader.texts.accountHome.back, href: `${base}/account` }
  return stepFormPage(reader, {
    heading,
    intro,
    action: `${base}/logout`,
    fields: [],
    button,
    after: linksOf(back),
  })
}

export function loggedOutPage(reader: PageReader): HttpAnswer {
  const { done, again: label } = reader.texts.loginPage.logout
  const { base, next } = reader.brand
  const login = { label, href: `${base}/login` }
  const toApp = { ...continueButton(reader), kind: 'second' } as const
  return stepAnswer(reader, {
    heading: done.heading,
    intro: done.text,
    emblem: { icon: 'check', tone: 'done' },
    content: actionsOf(login, ...(next.isApp ? [toApp] : [])),
  })
}
