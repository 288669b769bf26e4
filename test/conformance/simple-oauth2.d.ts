/** What is used here of a package that has no types. */
declare module 'simple-oauth2' {
  export class ResourceOwnerPassword {
    constructor(options: {
      client: { id: string; secret: string }
      auth: { tokenHost: string; tokenPath: string }
      options?: { authorizationMethod?: 'header' | 'body' }
    })
    getToken(params: { username: string; password: string; scope?: string }): Promise<{
      readonly token: { readonly access_token: string; readonly scope: string; readonly expires_at: Date }
      expired(windowSeconds?: number): boolean
    }>
  }
}
