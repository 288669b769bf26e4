// The part of the page of the account with the sessions of the person: a row for each device.
import { hiddenField } from '../../../pages/field.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { actionsOf, buttonOf, rowsOf, type Row } from '../../../pages/parts.ts'
import type { AccountHomeTexts } from '../../mail/messages/account-text-types.ts'
import { firstParty } from '../../tokens/clients/clients.ts'
import { formatRecent } from '../account-pages/format-time.ts'
import { drawAccountForm } from './account-form.ts'
import { isPhone, readDevice, type Device } from './device-name.ts'
import type { Visit } from './visit.ts'

interface OwnSession {
  readonly id: string
  readonly client_id: string
  readonly device: string | null
  readonly last_used_at: string
  /** Whether it is the login of this browser. */
  readonly current: boolean
}

async function readSessions({ call }: Pick<Visit, 'call'>): Promise<readonly OwnSession[]> {
  const { sessions } = (await call('GET /users/me/sessions')) as {
    readonly sessions: readonly OwnSession[]
  }
  return sessions
}

/** Writes this device, then the others, and the button that ends the others. */
export async function drawDevices(visit: Visit): Promise<Html> {
  const sessions = await readSessions(visit)
  const { endOthers } = visit.reader.texts.accountHome.devices
  // A remembered device may have no session: its person has logged out.
  const mayHaveOthers = sessions.length > 1 || visit.settings.remembersDevices
  const sorted = sessions.toSorted((one, other) => Number(other.current) - Number(one.current))
  const others = { label: endOthers, href: `${visit.home}/other-devices`, kind: 'second' } as const
  return markup`${rowsOf(sorted.map((session) => rowOf(session, visit)))}
${mayHaveOthers ? actionsOf({ ...others, isSlim: true }) : undefined}`
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
