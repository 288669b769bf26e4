import type { Caller } from 'keystile'
import { createSeal } from '../../base/seal.ts'
import { createFactorSeal, resealApps } from '../../features/credentials/second-factors/reseal.ts'
import { createSecondFactors } from '../../features/credentials/second-factors/second-factors.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import { byApp } from '../../features/operations/audit/by.ts'
import { createKeptAttempts } from '../../features/sign-in/attempts/kept-attempts.ts'
import { createRememberedDevices } from '../../features/sign-in/attempts/remembered-devices.ts'
import { createFactors } from '../../features/sign-in/factors/factors.ts'
import { factorRoutes } from '../../features/sign-in/factors/routes.ts'
import { createAttempts } from '../../features/sign-in/login/attempts.ts'
import { createCodes } from '../../features/sign-in/login/codes.ts'
import { createLogin, type Login } from '../../features/sign-in/login/login.ts'
import type { MethodParts } from '../../features/sign-in/login/methods/method.ts'
import { mustHaveFactor } from '../../features/sign-in/login/policy.ts'
import { createWrongCodes } from '../../features/sign-in/login/wrong-codes.ts'
import {
  openLastingSecrets,
  openValueSecrets,
} from '../../features/tokens/signing-keys/sealing-secrets.ts'
import type { Route } from '../../http/route.ts'
import type { Brand } from '../../pages/brand.ts'
import type { IssuingParts } from './issuing.ts'
import type { Parts } from './parts.ts'
import type { People } from './people.ts'

export interface LoginWired<U> {
  /** The login of all fronts. */
  readonly login: Login
  /** See `Keystile.resetFactors`. */
  resetFactors(subject: string): Promise<void>
  /** Whether users may set up an authenticator app. */
  readonly offersApp: boolean
  /** How an authenticator app names the service. */
  readonly service: string
  /** The endpoints for second factors. */
  readonly factorRoutes: readonly Route<Caller<string, U>>[]
}

/** Makes the login of all fronts, and what users do with their second factors. */
export async function wireLogin<U>(
  { options, accounts, limits, devices, notices, mailSeal, pages }: Parts,
  { directory, factorUndo: undo }: Pick<People<U>, 'directory' | 'factorUndo'>,
  { starter }: Pick<IssuingParts, 'starter'>,
): Promise<LoginWired<U>> {
  const { clock, logger, issuer, secondFactor } = options
  const { passwords, audit, database, feed } = accounts
  const hasAccounts = options.users === undefined

  const lasting = openLastingSecrets(options)
  if (lasting) await resealApps(database, lasting)
  const seal = lasting && createFactorSeal(lasting)
  const secondFactors = createSecondFactors(database, { seal, clock })

  const attemptSeal = createSeal(openValueSecrets(options), 'login attempts')
  const kept = createKeptAttempts(database, { seal: attemptSeal, clock })
  const methodParts: MethodParts<U> = {
    directory,
    passwords,
    secondFactors,
    secondFactor,
    audit,
    attempts: createAttempts(database, { kept, hasAccounts, clock }),
    wrongCodes: createWrongCodes(database, { clock }),
    limits,
    devices,
    remembered: createRememberedDevices(database, { days: options.rememberFactorDays, clock }),
    notices,
    clock,
    logger,
  }

  const service = serviceNameOf(issuer, pages.brand)
  /** What sets up an app, also within a login. */
  const setUpParts = { feed, undo, service }

  const login = createLogin({
    ...methodParts,
    ...setUpParts,
    audit, // with more events than `methodParts` allows
    starter,
    codes: createCodes(database, { kept, feed, clock, hasAccounts }),
    mailSeal: hasMail(options) ? mailSeal : undefined,
  })
  const factors = createFactors({
    ...methodParts,
    ...setUpParts,
    database,
    hasAccounts,
    mustHaveFactor: (user) => mustHaveFactor(user, methodParts),
  })
  const offersApp = secondFactor !== 'off' && seal !== undefined
  return {
    login,
    offersApp,
    service,
    async resetFactors(subject) {
      await factors.reset(subject, byApp)
    },
    factorRoutes: factorRoutes({
      factors,
      directory,
      isOffered: offersApp,
      // Whether the address of an app's own user is verified is a matter of the app.
      needsVerifiedAddress: hasMail(options) && hasAccounts,
    }),
  }
}

/**
 * Returns how an authenticator app names the service: as the pages do, but without a port, because
 * a colon separates the service from the account there.
 */
function serviceNameOf(issuer: string, { name }: Pick<Brand, 'name'>): string {
  const { host, hostname } = new URL(issuer)
  return name === host ? hostname : name
}
