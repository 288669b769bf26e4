import { BlockList, isIP } from 'node:net'
import type { Rule } from '../feature/rule.ts'
import { isPublic } from '../feature/situation.ts'
import { show } from '../feature/wording.ts'

export interface ProxyRuleOptions {
  readonly issuer?: string | undefined
  readonly trustedProxies?: readonly string[] | undefined
  readonly rateLimits?: 'on' | 'off' | undefined
}

export const proxyRules: readonly Rule<ProxyRuleOptions>[] = [
  {
    id: 'proxies-said',
    standard: 'ASVS 5.0 6.3.1',
    severity: 'warn',
    demand: 'beyond this machine, it is said which proxies are trusted, or that there is none',
    find: (situation, say) =>
      situation.options.trustedProxies === undefined &&
      situation.options.rateLimits !== 'off' &&
      isPublic(situation)
        ? [
            {
              about: say.name('trustedProxies'),
              message:
                'is not given, so nothing is limited by address: it could be the address of a proxy, which all users share',
              mend: `${say.set('trustedProxies', ['10.0.0.7'])} with the addresses of the proxies in front, or ${say.set('trustedProxies', [])}`,
            },
          ]
        : [],
  },
  {
    id: 'proxies-named',
    standard: 'RFC 7239 §8.1',
    severity: 'stop',
    demand: 'trusted proxies are networks of one’s own: no wider than an IPv4 /8 or an IPv6 /7',
    find: ({ options: { trustedProxies = [] } }, say) =>
      trustedProxies.filter(holdsStrangers).map((network) => ({
        about: say.name('trustedProxies'),
        message: `must not have a network as wide as ${show(network)}: everyone in it chooses the address that limits and the audit record see`,
        mend: 'name the addresses of your proxies alone, such as 10.0.0.7 or 10.1.0.0/16',
      })),
  },
]

/**
 * Of how many IPv4 /8 (BlockList finds them as IPv6 writes them too), and of how many IPv6 /8, a
 * network is too wide.
 */
const firstBytes = Array.from({ length: 256 }, (_, byte) => byte)
const farApart = [
  { tooMany: 2, addresses: firstBytes.map((byte) => `::ffff:${byte}.0.0.1`) },
  { tooMany: 4, addresses: firstBytes.map((byte) => `${byte.toString(16)}00::1`) },
]

/** Whether a network is wider than any that belongs to one owner. */
function holdsStrangers(network: string): boolean {
  const [address = '', length = ''] = network.split('/')
  if (length === '') return network === '*'
  const list = new BlockList()
  try {
    list.addSubnet(address, Number(length), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  } catch {
    return false // it is no network, which is a matter of shape
  }
  return farApart.some(
    ({ tooMany, addresses }) =>
      addresses.filter((address) => list.check(address, 'ipv6')).length >= tooMany,
  )
}
