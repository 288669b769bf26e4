// The endpoints with which users set up and remove their authenticator app and recovery codes.
import type { JsonObject } from 'keystile/internal'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields, stringField } from '../../../http/fields.ts'
import { readFields } from '../../../http/json-body.ts'
import type { GuardedRoute } from '../../../http/route.ts'
import { byCaller } from '../../operations/audit/by.ts'
import { setUpLoginSeconds } from '../../users/accounts/login-age.ts'
import {
  changingRoute,
  confirmingRoute,
  factorRoute,
  needsLogin,
  type FactorCaller,
} from './factor-route.ts'
import type { Factors } from './factors.ts'
import { notOffered, requireOffered, requireVerifiedAddress, type SetUpParts } from './set-up.ts'

export interface FactorRouteParts<U> extends SetUpParts<U> {
  readonly factors: Factors<U>
}

export function factorRoutes<U>(
  parts: FactorRouteParts<U>,
): readonly GuardedRoute<FactorCaller<U>>[] {
  return [
    listRoute(parts),
    beginRoute(parts),
    confirmRoute(parts),
    removeRoute(parts),
    renewRoute(parts),
  ]
}

const tooMany = 'Too many tries, or too many mails'
const codesSchema: JsonObject = {
  type: 'object',
  properties: {
    recovery_codes: {
      type: 'array',
      items: { type: 'string' },
      description: 'Shown once. Each works once, instead of a code of the app',
    },
  },
  required: ['recovery_codes'],
}

/** `GET /users/me/factors`: shows what the user has set up, without a secret. */
function listRoute<U>({ factors }: FactorRouteParts<U>): GuardedRoute<FactorCaller<U>> {
  return {
    ...factorRoute,
    method: 'GET',
    path: '/users/me/factors',
    doc: {
      tag: 'Own account',
      summary: 'List your own second factors',
      success: {
        status: 200,
        description:
          'The authenticator app, or null, the number of unused recovery codes, and when they ' +
          'were made',
        schema: {
          type: 'object',
          properties: {
            totp: {
              type: ['object', 'null'],
              properties: { created_at: { type: 'string', format: 'date-time' } },
              required: ['created_at'],
            },
            recovery_codes: { type: 'integer' },
            recovery_codes_created_at: { type: ['string', 'null'], format: 'date-time' },
          },
          required: ['totp', 'recovery_codes', 'recovery_codes_created_at'],
        },
      },
    },
    async handle(_request, { identity }) {
      const { app, recoveryCodes } = await factors.show(identity.subject)
      return jsonAnswer(200, {
        totp: app ? { created_at: app.createdAt.toISOString() } : null,
        recovery_codes: recoveryCodes.count,
        recovery_codes_created_at: recoveryCodes.createdAt?.toISOString() ?? null,
      })
    },
  }
}

/** `POST /users/me/factors/totp`: makes a secret for an authenticator app. */
function beginRoute<U>(parts: FactorRouteParts<U>): GuardedRoute<FactorCaller<U>> {
  return {
    ...changingRoute,
    method: 'POST',
    path: '/users/me/factors/totp',
    doc: {
      tag: 'Own account',
      summary: 'Set up an authenticator app',
      description: `Makes a secret (RFC 6238). It counts only after its first code. ${needsLogin}`,
      success: {
        status: 200,
        description: 'The secret, as base32, as an otpauth URI and as a QR code',
        schema: {
          type: 'object',
          properties: {
            secret: { type: 'string' },
            uri: { type: 'string' },
            qr_svg: { type: 'string' },
          },
          required: ['secret', 'uri', 'qr_svg'],
        },
      },
      refuses: {
        403: `The address of the account must be verified first; or: ${notOffered}`,
        429: 'Too many tries',
      },
    },
    async handle(request, caller) {
      requireOffered(parts)
      await requireVerifiedAddress(caller, parts)
      const { identity, user } = caller
      const { secret, uri, qrSvg } = await parts.factors.begin(user, byCaller(request, identity))
      return jsonAnswer(200, { secret, uri, qr_svg: qrSvg })
    },
  }
}

const firstCode = strictFields({
  code: stringField().meta({ description: 'The first code of the app', example: '123456' }),
})

/** `POST /users/me/factors/totp/confirm`: proves the first code of the app. */
function confirmRoute<U>(parts: FactorRouteParts<U>): GuardedRoute<FactorCaller<U>> {
  return {
    ...confirmingRoute,
    method: 'POST',
    path: '/users/me/factors/totp/confirm',
    doc: {
      tag: 'Own account',
      summary: 'Confirm an authenticator app',
      description:
        'From now on, a login needs a code of the app. It replaces an earlier app and all ' +
        `recovery codes, and ends all other sessions. Needs a login within the last ` +
        `${setUpLoginSeconds} seconds, with a second factor if the account has one (RFC 9470).`,
      body: { type: 'json', schema: describeFields(firstCode) },
      success: {
        status: 200,
        description: 'The app is confirmed. The new recovery codes',
        schema: codesSchema,
      },
      refuses: {
        403: `The code is wrong; or: ${notOffered}`,
        409: 'No app waits for its first code',
        429: tooMany,
      },
    },
    async handle(request, caller) {
      requireOffered(parts)
      const { code } = await readFields(firstCode, request)
      const { identity, user } = caller
      const codes = await parts.factors.confirm(user, code, byCaller(request, identity))
      return jsonAnswer(200, { recovery_codes: codes })
    },
  }
}

/** `DELETE /users/me/factors/totp`: removes the app, and the recovery codes with it. */
function removeRoute<U>(parts: FactorRouteParts<U>): GuardedRoute<FactorCaller<U>> {
  return {
    ...changingRoute,
    method: 'DELETE',
    path: '/users/me/factors/totp',
    doc: {
      tag: 'Own account',
      summary: 'Remove the authenticator app',
      description: `Removes the recovery codes too, and ends all other sessions. ${needsLogin}`,
      success: { status: 204, description: 'Removed' },
      refuses: {
        404: 'There is no authenticator app',
        409: 'The account must have a second factor',
        429: 'Too many mails',
      },
    },
    async handle(request, caller) {
      await parts.factors.remove(caller.user, byCaller(request, caller.identity))
      return emptyAnswer
    },
  }
}

/** `POST /users/me/factors/recovery-codes`: makes new recovery codes. */
function renewRoute<U>(parts: FactorRouteParts<U>): GuardedRoute<FactorCaller<U>> {
  return {
    ...changingRoute,
    method: 'POST',
    path: '/users/me/factors/recovery-codes',
    doc: {
      tag: 'Own account',
      summary: 'Make new recovery codes',
      description: `The old codes do not work any more. ${needsLogin}`,
      success: {
        status: 200,
        description: 'The new codes',
        schema: codesSchema,
      },
      refuses: { 404: 'There is no authenticator app', 429: tooMany },
    },
    async handle(request, caller) {
      const { identity, user } = caller
      const codes = await parts.factors.renewCodes(user, byCaller(request, identity))
      return jsonAnswer(200, { recovery_codes: codes })
    },
  }
}
