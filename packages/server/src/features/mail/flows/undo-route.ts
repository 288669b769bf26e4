import { emptyAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields, stringField } from '../../../http/fields.ts'
import { readFields } from '../../../http/json-body.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { By } from '../../operations/audit/entry.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/account-route.ts'

const undoing = strictFields({
  token: stringField().meta({ description: 'The `token` in the link' }),
})

/**
 * Makes the route of a link that undoes a change.
 *
 * @param doc.does what it undoes, as sentences for the OpenAPI document
 */
export function undoRoute(
  path: string,
  { undo }: { readonly undo: (token: string, by: By) => Promise<void> },
  { summary, does }: { readonly summary: string; readonly does: string },
): OpenRoute {
  return {
    ...accountRoute('POST', path, {
      summary,
      description: `${does} The user gets a mail to set a new password.`,
      body: { type: 'json', schema: describeFields(undoing) },
      success: { status: 204, description: 'Undone' },
      refuses: { 403: 'The link is wrong, was used before, or has expired', 429: tooManyTries },
    }),
    async handle(request) {
      const { token } = await readFields(undoing, request)
      await undo(token, byStranger(request))
      return emptyAnswer
    },
  }
}
