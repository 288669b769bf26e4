// The sessions of a person, by device, and the forms that end them.
import { ProblemError } from 'keystile/internal'
import { pointsOf } from '../../../pages/parts.ts'
import { homePage } from './home-page.ts'
import { readSessions } from './devices.ts'
import { formPage, type AccountPage, type Visit } from './visit.ts'

/** The buttons that end one session are on the page of the account. */
export const devicesPage: AccountPage = {
  name: 'devices',
  section: 'devices',
  summaries: ['Your devices', 'End one session'],
  endpoint: 'DELETE /users/me/sessions/{id}',
  fieldNames: ['id'],
  show: (visit, tried) => homePage(visit, { refused: tried?.refused }),
  async submit(visit, form) {
    await endSession(form.get('id') ?? '', visit)
    return 'device'
  },
  faultOf: () => undefined,
}

export const otherDevicesPage: AccountPage = {
  name: 'other-devices',
  section: 'devices',
  summaries: ['Log out on all other devices', 'End all sessions but that of this browser'],
  endpoint: 'DELETE /users/me/sessions/{id}',
  fieldNames: [],
  show(visit, tried) {
    const { heading, thisStays, button: label } = visit.reader.texts.accountHome.devices
    return formPage(
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
    const others = (await readSessions(visit)).filter(({ current }) => !current)
    for (const { id } of others) await endSession(id, visit).catch(ignoreEnded)
    return 'devices'
  },
  faultOf: () => undefined,
}

async function endSession(id: string, { call }: Pick<Visit, 'call'>): Promise<void> {
  await call('DELETE /users/me/sessions/{id}', { params: { id } })
}

/** A session may have ended since the list was read. */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof ProblemError) || error.status !== 404) throw error
}
