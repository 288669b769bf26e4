// What `keystile.users` is, with its parameters and results. `create-app-users.ts` makes it.
import type { Rights } from '../scopes/scopes.ts'
import type { PublicUser } from './user.ts'

/**
 * A user as `keystile.users` returns it, with the members `scopes`, `roles` and `disabled`.
 *
 * @typeParam U the public user, with the fields of the profile
 */
export type ManagedUser<U = PublicUser> = U & {
  /**
   * The scopes that were given to this user. Default scopes and scopes of roles are not included.
   */
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** A disabled user can neither log in nor use tokens. */
  readonly disabled: boolean
}

type ProfileOf<U> = Omit<U, keyof PublicUser>

/** The fields of a new user. The profile schema decides which profile fields are required. */
export type NewManagedUser<S extends string, U = PublicUser> = GivenRights<S> &
  Partial<ProfileOf<U>> & {
    readonly username: string
    readonly email?: string | null | undefined
    /**
     * Whether the app knows that the e-mail address belongs to the user. Default: false. Keystile
     * sends no mail to users whom the app creates.
     */
    readonly emailVerified?: boolean | undefined
    readonly password: string
  }

/** Scopes and roles to give to a user. */
interface GivenRights<S extends string> {
  readonly scopes?: readonly S[] | undefined
  readonly roles?: readonly string[] | undefined
}

export interface Grant<S extends string> extends GivenRights<S> {
  /** Scopes to remove. A scope that is no longer declared can be removed too. */
  readonly removeScopes?: readonly string[] | undefined
  /** Roles to remove. A role that is no longer declared can be removed too. */
  readonly removeRoles?: readonly string[] | undefined
  /** Ends all sessions of the user, so that the change takes effect immediately. Default: false. */
  readonly endsSessions?: boolean | undefined
}

export interface NewInvitation<S extends string> extends GivenRights<S> {
  readonly email: string
}

export interface Invitation {
  /**
   * The id of the invitation. A page of the app sends this id together with the code from the mail.
   */
  readonly requestId: string
  readonly expiresAt: Date
}

export interface OpenInvitation extends Rights {
  readonly email: string
  readonly invitedAt: Date
  readonly expiresAt: Date
}

/**
 * Keystile's own accounts, for routes and programs of the app. A method acts in the name of the
 * app: the audit record has the actor `app`.
 *
 * The rules of the endpoints apply: valid names, the password policy, the profile schema, and
 * declared scopes and roles. The last administrator cannot be disabled or deleted, or lose the role
 * `admin`. The option `registration`, rate limits and the scopes of a caller do NOT apply: the app
 * decides who may call a method.
 *
 * Methods throw a `ProblemError` with the same `code`, `status` and `errors` as the endpoints. The
 * `code` is `unprocessable_content` if a field is not valid, and `not_found` if there is no such
 * user. The `code` is `conflict` if the name is taken, if the user is the last administrator, or if
 * another request changed the user at the same time. If the database cannot be read or written
 * now, methods throw another error, where the endpoints answer 503.
 *
 * @typeParam S the declared scopes
 * @typeParam U the public user, with the fields of the profile
 */
export interface AppUsers<S extends string = string, U = PublicUser> {
  /** Creates an account. Without `scopes` and `roles`, the user holds only the default scopes. */
  create(user: NewManagedUser<S, U>): Promise<ManagedUser<U>>
  /**
   * Mails a person a link to create an account, even while registration is closed. When the person
   * accepts, the new account gets this address, already verified. It also gets the scopes and roles
   * of the invitation, except those that are no longer declared. The link works once, for 7 days. A
   * new invitation replaces an older one to the same address.
   *
   * Throws `conflict` if the address is taken, and `too_many_requests` if the address got too many
   * mails.
   *
   * @throws {TypeError} if mail is not configured
   */
  invite(invitation: NewInvitation<S>): Promise<Invitation>
  /**
   * Returns a page of the invitations that can still be accepted, in the order of their addresses.
   *
   * @param page.after the `next` of the previous page
   * @param page.limit 1 to 200. Default: 50
   * @throws {TypeError} if mail is not configured
   */
  listInvitations(page?: { readonly after?: string; readonly limit?: number }): Promise<{
    readonly invitations: readonly OpenInvitation[]
    /** The value of `after` for the next page; null on the last page. */
    readonly next: string | null
  }>
  /**
   * Revokes the invitation of an address. The link and the code of the invitation stop working.
   * Throws `not_found` if the address has no invitation.
   *
   * @throws {TypeError} if mail is not configured
   */
  uninvite(email: string): Promise<void>
  /** Finds a user by id (the subject of the tokens), or by user name or e-mail address. */
  find(
    user: { readonly id: string } | { readonly login: string },
  ): Promise<ManagedUser<U> | undefined>
  /**
   * Returns a page of users in the order of their names.
   *
   * @param page.after the `next` of the previous page: a name. The page begins with the first name
   *   after this name
   * @param page.limit 1 to 200. Default: 50
   */
  list(page?: { readonly after?: string; readonly limit?: number }): Promise<{
    readonly users: readonly ManagedUser<U>[]
    /** The value of `after` for the next page; null on the last page. */
    readonly next: string | null
  }>
  /** Changes the given fields of the profile. All other fields stay as they are. */
  update(id: string, fields: Partial<ProfileOf<U>>): Promise<ManagedUser<U>>
  /**
   * Adds and removes scopes and roles. The change takes effect with the user's next token. With
   * `endsSessions`, it takes effect immediately.
   */
  grant(id: string, grant: Grant<S>): Promise<ManagedUser<U>>
  /** Stops a user from logging in, and ends all sessions of the user. */
  disable(id: string): Promise<ManagedUser<U>>
  /** Lets a disabled user log in again. Ended sessions stay ended. */
  enable(id: string): Promise<ManagedUser<U>>
  /**
   * Sets a new password, and ends all sessions of the user and all links for a new password. Does
   * NOT ask for the current password, and does NOT clear the count of mails for a new password: for
   * up to 144 minutes, the user may get no other link.
   */
  setPassword(id: string, password: string): Promise<void>
  /**
   * Deletes a user: erases all data of the user except the id and the name, so that no other user
   * can get this id or name.
   */
  delete(id: string): Promise<void>
}

/** The methods of `keystile.users` that need mail. */
export type AppInvitations = Pick<AppUsers, 'invite' | 'listInvitations' | 'uninvite'>
