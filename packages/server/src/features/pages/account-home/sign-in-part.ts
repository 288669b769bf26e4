// The part of the page of the account with the password, the app and the recovery codes.
import { joined, markup } from '../../../pages/html.ts'
import { rowsOf, tagOf, type Row } from '../../../pages/parts.ts'
import { formatTime } from '../account-pages/format-time.ts'
import type { OwnApp, OwnFactors } from './endpoint-answers.ts'
import { rowButton, type HomePart } from './home-part.ts'
import type { Visit } from './visit.ts'

export function signInPart(visit: Visit, factors: OwnFactors): HomePart {
  const { title, hint } = visit.reader.texts.accountHome.signIn
  const { totp } = factors
  const factorRows = totp ? [appRow(visit, totp), codesRow(visit, factors)] : [noAppRow(visit)]
  const rows = visit.has('POST /users/me/password')
    ? [passwordRow(visit), ...factorRows]
    : factorRows
  return { id: 'sign-in', title, hint, content: rowsOf(rows) }
}

function passwordRow(visit: Visit): Row {
  const { password: title, accountHome } = visit.reader.texts
  return { icon: 'lock', title, action: rowButton(visit, 'password', accountHome.change, title) }
}

function appRow(visit: Visit, { created_at: since }: OwnApp): Row {
  const { app } = visit.reader.texts.accountHome
  const replace = rowButton(visit, 'app', app.replace, app.title)
  const remove = rowButton(visit, 'remove-app', app.remove, app.title)
  return {
    icon: 'app',
    title: markup`${app.title}${tagOf(app.on, 'done')}`,
    hint: app.since(formatTime(since, visit.reader.language, 'days')),
    action: joined([visit.settings.offersApp ? replace : '', visit.needsFactor ? '' : remove]),
  }
}

function noAppRow(visit: Visit): Row {
  const { app } = visit.reader.texts.accountHome
  const setUp = rowButton(visit, 'app', app.setUp, app.title)
  const action = visit.settings.offersApp ? setUp : undefined
  return { icon: 'app', title: app.title, hint: app.off, action }
}

function codesRow(
  visit: Visit,
  { recovery_codes: left, recovery_codes_created_at: madeAt }: OwnFactors,
): Row {
  const { codes } = visit.reader.texts.accountHome
  const action = rowButton(visit, 'recovery-codes', codes.renew, codes.title)
  const made =
    madeAt === null ? '' : `. ${codes.made(formatTime(madeAt, visit.reader.language, 'days'))}`
  return { icon: 'sheet', title: codes.title, hint: `${codes.left(left)}${made}`, action }
}
