import { createLogin, type Login } from '../../features/sign-in/login/login.ts'
import type { IssuingParts } from './issuing.ts'
import type { Parts } from './parts.ts'
import type { People } from './people.ts'

export function wireLogin<U>(
  { options: { clock, logger }, accounts, limits, devices, notices }: Parts,
  { directory }: Pick<People<U>, 'directory'>,
  { starter }: Pick<IssuingParts, 'starter'>,
): Login {
  const { passwords, audit } = accounts
  const using = { limits, devices, notices, starter, clock, logger }
  return createLogin({ directory, passwords, audit, ...using })
}
