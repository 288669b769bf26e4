/** The settings that the start page shows, or depends on. */
export interface StartOptions {
  readonly issuer: string
  readonly corsOrigins?: readonly string[] | undefined
  readonly mailUrl?: string | undefined
  readonly appUrl?: string | undefined
  readonly accountPagesUrl?: string | undefined
  readonly registration: 'open' | 'closed'
  readonly cookieSession: boolean
  readonly docs: 'on' | 'off'
  readonly loginPages?: 'on' | 'off' | undefined
}
