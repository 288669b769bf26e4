/** The settings that say where the pages are. By default, Keystile serves them. */
export interface PagesChoice {
  readonly issuer: string
  readonly accountPagesUrl?: string | undefined
}

/**
 * Returns the URL of the pages for the links in mails. It comes only from the settings, never from
 * a request.
 */
export function pagesUrlOf({ accountPagesUrl, issuer }: PagesChoice): string {
  return (accountPagesUrl ?? `${issuer}/account`).replace(/\/+$/, '')
}
