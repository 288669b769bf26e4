import type { JsonObject } from 'keystile/internal'
import type { OpenRoute } from '../../../http/route.ts'
import { byStranger } from '../../operations/audit/audit.ts'
import type { EmailChanges } from '../../mail/email-change/change.ts'
import type { EmailUndo } from '../../mail/email-change/undo.ts'
import type { Invitations } from '../../mail/invitations/invitation.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { changeTexts, type ChangeTexts } from './change-texts.ts'
import { markup } from '../../../pages/html.ts'
import type { PageReader, PageSettings } from './page-parts.ts'
import { profileFieldsOf } from './profile-fields.ts'
import { tokenPageRoutes, type TokenPage } from './token-page.ts'

/**
 * The services and settings that the pages use. The services enforce all rules; the pages only show
 * the results.
 */
export interface ChangePageParts extends PageSettings {
  readonly changes: Pick<EmailChanges, 'confirm' | 'isOpen'>
  readonly undo: Pick<EmailUndo, 'undo' | 'isOpen'>
  readonly invitations: Pick<Invitations, 'accept' | 'isOpen'>
  readonly passwordPolicy: Pick<PasswordPolicy, 'minLength'>
  /** The JSON Schema of the profile of a new account. */
  readonly profile: JsonObject
}

/**
 * Returns the routes of three pages: they confirm a new e-mail address, restore the old address,
 * and accept an invitation.
 */
export function changePageRoutes(parts: ChangePageParts): readonly OpenRoute[] {
  return [confirmPage(parts), undoPage(parts), acceptPage(parts)].flatMap((kind) =>
    tokenPageRoutes(kind, parts),
  )
}

function textsOf({ language }: PageReader): ChangeTexts {
  return changeTexts[language]
}

function confirmPage({ changes }: ChangePageParts): TokenPage {
  return {
    name: 'confirm-email-change',
    summary: 'Confirm a new e-mail address',
    fieldNames: ['password'],
    asksPassword: true,
    texts: (reader) => textsOf(reader).confirm,
    shared: textsOf,
    fields: (reader) => [
      {
        name: 'password',
        label: textsOf(reader).password,
        attributes: markup`type="password" autocomplete="current-password"`,
      },
    ],
    isOpen: (token) => changes.isOpen(token),
    async submit(form, request) {
      const owner = { subject: undefined, password: form.get('password') }
      await changes.confirm({ token: form.get('token') ?? '' }, owner, byStranger(request))
    },
  }
}

function undoPage({ undo }: ChangePageParts): TokenPage {
  return {
    name: 'undo-email-change',
    summary: 'Restore the old e-mail address',
    fieldNames: [],
    texts: (reader) => textsOf(reader).undo,
    shared: textsOf,
    fields: () => [],
    isOpen: (token) => undo.isOpen(token),
    submit: (form, request) => undo.undo(form.get('token') ?? '', byStranger(request)),
  }
}

function acceptPage({ invitations, passwordPolicy, profile }: ChangePageParts): TokenPage {
  const { minLength } = passwordPolicy
  const profileFields = profileFieldsOf(profile)
  return {
    name: 'accept-invitation',
    summary: 'Accept an invitation',
    fieldNames: ['username', 'password', ...profileFields.names],
    texts: (reader) => textsOf(reader).accept,
    shared: textsOf,
    fields(reader, typed) {
      const { username, usernameHint, newPassword, newPasswordHint } = textsOf(reader)
      const value = markup`value="${typed.get('username') ?? ''}"`
      const spelling = markup`autocapitalize="none" spellcheck="false"`
      return [
        {
          name: 'username',
          label: username,
          hint: usernameHint,
          attributes: markup`autocomplete="username" ${spelling} ${value}`,
        },
        {
          name: 'password',
          label: newPassword,
          hint: newPasswordHint(minLength),
          attributes: markup`type="password" autocomplete="new-password"`,
        },
        ...profileFields.show(typed, textsOf(reader)),
      ]
    },
    isOpen: (token) => invitations.isOpen(token),
    async submit(form, request) {
      const [username, password] = [form.get('username'), form.get('password')]
      const members = {
        ...profileFields.read(form),
        ...(username && { username }),
        ...(password && { password }),
      }
      await invitations.accept({ token: form.get('token') ?? '' }, members, byStranger(request))
    },
  }
}
