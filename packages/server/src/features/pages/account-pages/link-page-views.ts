// The views of a page that the link in a mail opens: the form, what it has done, or why it cannot.
import type { HttpAnswer } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { markup } from '../../../pages/html.ts'
import { actionsOf, linksOf, type Button } from '../../../pages/parts.ts'
import { answerTo, type Refused } from './faults.ts'
import { requestName } from './field-names.ts'
import { drawForm } from './form.ts'
import { takesCode, type LinkPage } from './link-page.ts'
import { page, type PageReader } from './reader.ts'
import { asSecond, backLink, endButtons } from './ways-on.ts'

export function formView(
  reader: PageReader,
  shown: LinkPage,
  typed: Form,
  refused?: Refused,
): HttpAnswer {
  const { heading, intro, emblem, button } = shown.texts(reader, typed, refused)
  const byCode = takesCode(shown) && typed.has(requestName)
  const proves = byCode ? requestName : 'token'
  const form = drawForm(reader, {
    action: shown.name,
    sends: { [proves]: typed.get(proves) ?? '' },
    fields: shown.fields(reader, typed, refused),
    button,
    refused,
  })
  const help = byCode ? shown.help?.(reader) : undefined
  const again = refused && !help ? shown.again?.(reader) : undefined
  const links = [again, backLink(reader)].filter((link) => link !== undefined)
  const content = markup`${form}\n${help}\n${linksOf(...links)}`
  return page(reader, { heading, intro, emblem, content, ...answerTo(refused) })
}

/** Says what the form has done. */
export function doneView(reader: PageReader, shown: LinkPage, form: Form): HttpAnswer {
  const { heading, text: intro } = shown.texts(reader, form).done
  // The undo of a change has sent the mail for a new password: this page may send another one.
  const end = shown.end === 'password' ? 'passwordMail' : (shown.end ?? 'login')
  const content = actionsOf(...endButtons(reader, end))
  return page(reader, { heading, intro, emblem: { icon: 'check', tone: 'done' }, content })
}

/** Says that a link does not work. It does not say why: Keystile does not keep used links. */
export function usedLinkView(reader: PageReader, shown: LinkPage, typed: Form): HttpAnswer {
  const { heading, reason } = reader.texts.usedLink
  const intro = `${reason} ${shown.texts(reader, typed).used}`
  const content = actionsOf(...waysOn(reader, shown))
  return page(reader, { heading, intro, emblem: { icon: 'link' }, content, status: 403 })
}

/** Says that the address of the page has no token of a link. */
export function noLinkView(reader: PageReader, shown: LinkPage, typed: Form): HttpAnswer {
  const { heading, noToken = reader.texts.noToken } = shown.texts(reader, typed)
  const content = actionsOf(...waysOn(reader, shown))
  return page(reader, { heading, intro: noToken, emblem: { icon: 'link' }, content })
}

/** Returns the buttons of a page whose link does not work: to another mail, or to its end. */
function waysOn(reader: PageReader, shown: LinkPage): readonly Button[] {
  const again = shown.again?.(reader)
  const ends = endButtons(reader, shown.end ?? 'login')
  return again ? [again, asSecond(ends[0])] : ends
}
