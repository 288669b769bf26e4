import { qrSvg } from './qr.ts'
import { totpUri } from './totp.ts'

/** What a person needs to add the account to an authenticator app. */
export interface ShownSecret {
  /** In base32. */
  readonly secret: string
  readonly uri: string
  /** A QR code of `uri`. */
  readonly qrSvg: string
}

/** @param names how an authenticator app names the service and the account */
export function showSecret(
  secret: string,
  { service, account }: { readonly service: string; readonly account: string },
): ShownSecret {
  const uri = totpUri(secret, { issuer: service, account })
  return { secret, uri, qrSvg: qrSvg(uri) }
}
