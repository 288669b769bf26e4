/** Declares what the tests use of a package without types. */
declare module 'simple-oauth2' {
  export class ResourceOwnerPassword {
    constructor(options: {
      client: { id: string; secret: string }
      auth: { tokenHost: string; tokenPath: string; revokePath: string }
      options?: { authorizationMethod?: 'header' | 'body' }
    })
    getToken(params: { username: string; password: string; scope?: string }): Promise<AccessToken>
  }

  export class ClientCredentials {
    constructor(options: {
      client: { id: string; secret: string }
      auth: { tokenHost: string; tokenPath: string }
      options?: { authorizationMethod?: 'header' | 'body' }
    })
    getToken(params: { scope?: string }): Promise<AccessToken>
  }

  export interface AccessToken {
    readonly token: {
      readonly access_token: string
      readonly refresh_token: string
      readonly scope: string
      readonly expires_at: Date
    }
    expired(windowSeconds?: number): boolean
    refresh(): Promise<AccessToken>
    revoke(type: 'access_token' | 'refresh_token'): Promise<void>
    revokeAll(): Promise<void>
  }
}
