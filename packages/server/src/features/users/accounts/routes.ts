import type { Route } from '../../../http/route.ts'
import {
  changeProfileRoute,
  deleteAccountRoute,
  readAccountRoute,
  type ProfileChangeParts,
} from './own-account.ts'
import { changePasswordRoute, type PasswordChangeParts } from './own-credentials.ts'
import type { AccountCaller } from './route-parts.ts'
import type { Users } from './users.ts'

export type AccountParts = ProfileChangeParts &
  PasswordChangeParts & { readonly users: Pick<Users, 'delete'> }

/** The routes with which users read, change and delete their own account. */
export function accountRoutes(parts: AccountParts): readonly Route<AccountCaller>[] {
  return [
    readAccountRoute(parts),
    changeProfileRoute(parts),
    changePasswordRoute(parts),
    deleteAccountRoute(parts),
  ]
}
