// The page `/account`: what a person has, in sections, with a way to change each.
import type { HttpAnswer } from 'keystile/internal'
import { joined, markup, type Html } from '../../../pages/html.ts'
import { actionsOf, faultOf, jumpOf, linkedOf, noteOf, partOf } from '../../../pages/parts.ts'
import { formTokenField, sameOriginPage } from '../account-pages/form.ts'
import { savedName } from '../login-pages/codes-page.ts'
import { devicesPart } from './devices-part.ts'
import type { OwnFactors } from './endpoint-answers.ts'
import type { HomePart } from './home-part.ts'
import { profilePart, type ProfileShown } from './profile-part.ts'
import { signInPart } from './sign-in-part.ts'
import type { Done, Visit } from './visit.ts'

interface Shown extends ProfileShown {
  readonly done?: Done | undefined
  /** Whether the person has just logged in with a recovery code. */
  readonly hasUsedCode?: boolean
}

export async function homePage(visit: Visit, shown: Shown): Promise<HttpAnswer> {
  const { reader, account } = visit
  const { done, refused, hasUsedCode } = shown
  const texts = reader.texts.accountHome
  const factors = await visit.call('GET /users/me/factors')
  const parts = [
    await profilePart(visit, shown),
    signInPart(visit, factors),
    await devicesPart(visit),
    deletionPart(visit),
  ].filter((part) => part !== undefined)

  const isOfField =
    refused?.field !== undefined && visit.settings.profile.names.includes(refused.field)
  const links = parts.map(({ id, title }) => ({ label: title, href: `#${id}` }))
  return sameOriginPage(
    reader,
    {
      heading: texts.heading,
      intro: account,
      isWide: true,
      corner: logOutForm(visit),
      content: markup`${done && noteOf(texts.done[done], { tone: 'done' })}
${done && unsavedNote(visit, done)}
${hasUsedCode ? usedCodeNote(visit, factors) : undefined}
${refused && !isOfField ? faultOf(refused.text) : undefined}
${jumpOf(texts.sections, links)}
${joined(parts.map(partOf))}`,
    },
    refused,
  )
}

function logOutForm({ reader }: Visit): Html {
  const { logOut } = reader.texts.accountHome
  return markup`<form class="end" method="post" action="${reader.brand.base}/logout">
${formTokenField(reader)}<button>${logOut}</button>
</form>`
}

/** Warns a person who has left the page with new recovery codes and has not ticked its box. */
function unsavedNote({ query, reader, home }: Visit, done: Done): Html | undefined {
  const hasCodes = done === 'app' || done === 'codes'
  if (!hasCodes || query.has(savedName)) return undefined

  const { unsaved } = reader.texts.accountHome.codes
  return noteOf(linkedOf(unsaved, { href: `${home}/recovery-codes` }), { tone: 'care' })
}

/** Says what a login with a recovery code has cost, and what to do if the app is lost. */
function usedCodeNote(
  { reader, home, settings }: Visit,
  { totp, recovery_codes: count }: OwnFactors,
): Html | undefined {
  if (!totp) return undefined

  const { used, left, lost } = reader.texts.accountHome.codes
  const replace = settings.offersApp ? linkedOf(lost, { href: `${home}/app` }) : undefined
  return noteOf(markup`${used} ${left(count)}. ${replace}`, { tone: 'care' })
}

function deletionPart(visit: Visit): HomePart | undefined {
  if (!visit.has('DELETE /users/me')) return undefined

  const { title, hint, text, open: label } = visit.reader.texts.accountHome.deletion
  const href = `${visit.home}/delete`
  return {
    id: 'delete',
    title,
    hint,
    content: markup`<p>${text}</p>
${actionsOf({ label, href, kind: 'second', isSlim: true })}`,
  }
}
