import { ProblemError, randomId } from 'keystile/internal'
import * as z from 'zod'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields, stringField } from '../../../http/fields.ts'
import { readFields } from '../../../http/json-body.ts'
import type { GuardedRoute } from '../../../http/route.ts'
import type { Database } from '../../../storage/database.ts'
import { insertNote, listNotes } from './store.ts'

interface NoteCaller {
  readonly identity: { readonly subject: string }
}

const noteRoute = {
  path: '/users/me/notes',
  below: 'issuer',
  refusals: 'problem',
  guard: { scopes: [] },
  isFirstPartyOnly: true,
} as const

const fields = strictFields({ text: stringField().max(1000), reminds: z.boolean().default(false) })

/** The notes of a user: an example of a table of user data, with routes under `/users/me`. */
export function noteRoutes(
  database: Pick<Database, 'reader' | 'write'>,
): readonly GuardedRoute<NoteCaller>[] {
  return [
    {
      ...noteRoute,
      method: 'POST',
      doc: {
        tag: 'Own account',
        summary: 'Write a note',
        body: { type: 'json', schema: describeFields(fields) },
        success: { status: 204, description: 'Stored' },
      },
      async handle(request, { identity: { subject } }) {
        const { text, reminds } = await readFields(fields, request)
        const note = { id: randomId(), subject, text, reminds: Number(reminds) }
        const { inserted } = await database.write(insertNote, note)
        if (!inserted) throw new ProblemError('not_found', 'The user must still exist')
        return emptyAnswer
      },
    },
    {
      ...noteRoute,
      method: 'GET',
      doc: {
        tag: 'Own account',
        summary: 'List your own notes',
        success: {
          status: 200,
          description: 'The texts',
          schema: { type: 'array', items: { type: 'string' } },
        },
      },
      async handle(_request, { identity: { subject } }) {
        const notes = await listNotes(database.reader, subject)
        return jsonAnswer(
          200,
          notes.map(({ text }) => text),
        )
      },
    },
  ]
}
