// The address at which password managers look for the page to change a password.
import type { OpenRoute } from '../../../http/route.ts'
import type { Brand } from '../../../pages/brand.ts'

/**
 * Below the root of a host (W3C, A Well-Known URL for Changing Passwords §2). If the path of the
 * issuer is not empty, the stand-alone server answers there too.
 */
export const changePasswordPath = '/.well-known/change-password'

/** @param name the page to which it leads, below `/account` */
export function wellKnownRoute(name: string, { base }: Pick<Brand, 'base'>): OpenRoute {
  const location = `${base}/account/${name}`
  return {
    method: 'GET',
    path: changePasswordPath,
    below: 'issuer',
    refusals: 'problem',
    doc: {
      tag: 'Own account',
      summary: 'Find the page to change a password',
      success: { status: 302, description: 'A redirect', headers: { location: 'The page' } },
    },
    handle: () => ({ status: 302, headers: { location, 'cache-control': 'no-store' } }),
  }
}
