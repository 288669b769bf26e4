// The safety rules for trusted proxies. If an address is trusted by mistake, a client at this
// address can choose the IP address that rate limits and the audit record use.
import { BlockList, isIP } from 'node:net'
import type { Rule } from '../feature/rule.ts'
import { show } from '../feature/shown-value.ts'
import { isPublic } from '../feature/situation.ts'

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
    demand:
      'if other machines can reach the server, `trustedProxies` should be set; ' +
      'without a proxy, to an empty list',
    find: (situation, say) =>
      situation.options.trustedProxies === undefined &&
      situation.options.rateLimits !== 'off' &&
      isPublic(situation)
        ? [
            {
              about: say.name('trustedProxies'),
              message:
                'should be given; without it, there are no rate limits by address, ' +
                'because all users could share the address of one proxy',
              fix:
                `${say.set('trustedProxies', ['10.0.0.7'])} with the addresses of your proxies, ` +
                `or ${say.set('trustedProxies', [])} if there is no proxy`,
            },
          ]
        : [],
  },
  {
    id: 'proxies-named',
    standard: 'RFC 7239 §8.1',
    severity: 'stop',
    demand:
      'trusted proxies must be in your own networks: ' +
      'a range must not be larger than an IPv4 /8 or an IPv6 /7',
    find: ({ options: { trustedProxies } }, say) =>
      trustedProxies?.filter(isTooWide).map((network) => ({
        about: say.name('trustedProxies'),
        message:
          `must not list a network as wide as ${show(network)}: everyone in it could choose the ` +
          'address for rate limits and the audit record',
        fix: 'list only the addresses of your proxies, such as 10.0.0.7 or 10.1.0.0/16',
      })) ?? [],
  },
]

const firstBytes = Array.from({ length: 256 }, (_, byte) => byte)

/**
 * Two lists of 256 addresses: one for IPv4, one for IPv6. The addresses of a list differ in their
 * first byte. A network is too wide if it contains `tooMany` or more addresses of a list. A network
 * of one owner always contains fewer: the widest are 10.0.0.0/8 with one address and fc00::/7 with
 * two.
 *
 * The IPv4 addresses are mapped to IPv6, because `BlockList` also finds mapped addresses in IPv4
 * networks. So `::/64`, which contains all mapped addresses, is too wide as well.
 */
const samples = [
  { tooMany: 2, addresses: firstBytes.map((byte) => `::ffff:${byte}.0.0.1`) },
  { tooMany: 4, addresses: firstBytes.map((byte) => `${byte.toString(16)}00::1`) },
]

/** Whether a network, such as `0.0.0.0/1`, is too wide to belong to one owner. */
function isTooWide(network: string): boolean {
  const [base, length] = network.split('/')
  if (!base || !length) return network === '*'

  const list = new BlockList()
  try {
    list.addSubnet(base, Number(length), isIP(base) === 4 ? 'ipv4' : 'ipv6')
  } catch {
    // The check of the setting reports a string that is not a network. The list stays empty.
  }

  return samples.some(
    ({ tooMany, addresses }) =>
      addresses.filter((address) => list.check(address, 'ipv6')).length >= tooMany,
  )
}
