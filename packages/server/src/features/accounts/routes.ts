import type { Route } from '../../http/route.ts'
import {
  changeProfileRoute,
  deleteAccountRoute,
  readAccountRoute,
  type ProfileChangeParts,
} from './own-account.ts'
import { changePasswordRoute, type PasswordChangeParts } from './own-credentials.ts'
import type { AccountCaller } from './route-parts.ts'
import type { Users } from './users.ts'

/** The services and settings that the routes of a person's own account use. */
export type AccountParts = ProfileChangeParts &
  PasswordChangeParts & { readonly users: Pick<Users, 'delete'> }

/** The routes of a person's own account, from its first reading to its deletion. */
export function accountRoutes(parts: AccountParts): readonly Route<AccountCaller>[] {
  return [
    readAccountRoute(parts),
    changeProfileRoute(parts),
    changePasswordRoute(parts),
    deleteAccountRoute(parts),
  ]
}
