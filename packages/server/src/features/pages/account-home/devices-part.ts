// The part of the page of the account with the sessions of the person: a row for each device.
import { hiddenField } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { actionsOf, buttonOf, rowsOf, type Row } from '../../../pages/parts.ts'
import type { AccountHomeTexts } from '../../mail/messages/account-text-types.ts'
import { firstParty } from '../../tokens/clients/clients.ts'
import { formatRecent } from '../account-pages/format-time.ts'
import { drawAccountForm } from './account-form.ts'
import { isPhone, readDevice, type Device } from './device-name.ts'
import type { OwnSession } from './endpoint-answers.ts'
import type { HomePart } from './home-part.ts'
import type { Visit } from './visit.ts'

export async function devicesPart(visit: Visit): Promise<HomePart> {
  const { title, hint, endOthers } = visit.reader.texts.accountHome.devices
  const { sessions } = await visit.call('GET /users/me/sessions')
  // A remembered device may have no session: its person has logged out.
  const mayHaveOthers = sessions.length > 1 || visit.settings.remembersDevices
  const thisFirst = sessions.toSorted((one, other) => Number(other.current) - Number(one.current))
  const others = { label: endOthers, href: `${visit.home}/other-devices`, kind: 'second' } as const
  return {
    id: 'devices',
    title,
    hint,
    content: markup`${rowsOf(thisFirst.map((session) => rowOf(session, visit)))}
${mayHaveOthers ? actionsOf({ ...others, isSlim: true }) : undefined}`,
  }
}

function rowOf(session: OwnSession, visit: Visit): Row {
  const { reader } = visit
  const { devices: texts } = reader.texts.accountHome
  const userAgent = session.device ?? ''
  const device = readDevice(userAgent)
  const name = nameOf(userAgent, device, texts)
  const client = session.client_id === firstParty.id ? '' : ` · ${session.client_id}`
  const used = texts.lastUsed(formatRecent(session.last_used_at, reader.language, visit.now))
  return {
    icon: isPhone(device) ? 'phone' : 'computer',
    title: session.current
      ? markup`${name} <span class="tag own">${texts.thisDevice}</span>`
      : name,
    hint: `${used}${client}`,
    action: session.current
      ? undefined
      : drawAccountForm(visit, {
          name: 'devices',
          hidden: hiddenField('id', session.id),
          end: buttonOf({ label: texts.end, kind: 'second', isSlim: true, of: ` ${name}` }),
        }),
  }
}

/** Names a browser and its system, or a program that is not a browser. */
function nameOf(
  userAgent: string,
  device: Device | undefined,
  texts: AccountHomeTexts['devices'],
): string {
  const isShort = userAgent.length <= shownLength && !userAgent.startsWith('Mozilla/')
  if (isShort && device?.browser === undefined) return userAgent || texts.unknown
  return device ? texts.name(device.browser ?? texts.unknownBrowser, device.system) : texts.unknown
}

/** How long the name of a program may be, such as `curl/8.5.0`. A longer one is not shown. */
const shownLength = 60
