import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVerifier } from 'keystile'
import {
  createGuardCore,
  ProblemError,
  readWebRequest,
  silentLogger,
  type ProblemCode,
} from 'keystile/internal'
import { testPages } from '../../../../test-support/start-options.ts'
import { createRouter } from '../../../http/router.ts'
import { pageRoute } from './page-route.ts'
import { refusalPage } from './refusal-page.ts'

const issuer = 'https://auth.example'
const verifier = createVerifier({
  issuer,
  audience: issuer,
  keys: { find: () => undefined },
  revocations: 'none',
})

describe('refusalPage', () => {
  it('tells a browser when to try again, if the refusal says when', async () => {
    const ask = async (code: ProblemCode, retryAfterSeconds?: number): Promise<unknown> => {
      const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
      const route = pageRoute('GET', '/it', 'A page', {
        handle() {
          throw new ProblemError(code, 'This is the rule', details)
        },
      })
      const answer = createRouter([route], {
        issuer,
        corsOrigins: [],
        guard: createGuardCore({ verifier }),
        logger: silentLogger,
        isFirstParty: () => true,
        showRefusal: (request, refused) => refusalPage(request, refused, testPages),
      })
      const headers = { accept: 'text/html' }
      const page = await answer(readWebRequest(new Request(`${issuer}/it`, { headers })))
      assert.match(page?.body ?? '', /^<!doctype html>/)
      return [page?.status, page?.headers['retry-after']]
    }

    assert.deepEqual(await ask('too_many_requests', 60), [429, '60'])
    assert.deepEqual(await ask('temporarily_unavailable', 7), [503, '7'])
    assert.deepEqual(await ask('temporarily_unavailable'), [503, '1'])
    assert.deepEqual(await ask('forbidden'), [403, undefined])
  })
})
