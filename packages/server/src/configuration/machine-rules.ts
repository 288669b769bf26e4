import type { Feature } from '../feature/feature.ts'
import type { Rule } from '../feature/rule.ts'
import { openFiles } from '../feature/situation.ts'

/** What bin/keystile.cjs and package.json demand as well. */
const minNode = [24, 15] as const

const rules: readonly Rule<unknown>[] = [
  {
    id: 'settings-complete',
    standard: 'ASVS 5.0 2.2.1',
    severity: 'stop',
    demand: 'every setting is known, and has the form that it should',
    find: ({ faults }) =>
      faults?.map((fault) => {
        const [about = '', ...message] = fault.split(' ')
        return {
          about,
          message: message.join(' '),
          mend: 'see keystile help for what each setting takes',
        }
      }),
  },
  {
    id: 'node-version',
    standard: 'package.json, engines',
    severity: 'stop',
    demand: `Node is ${minNode.join('.')} or newer: older ones have no finished node:sqlite`,
    find({ machine }) {
      if (!machine) return undefined
      const { nodeVersion } = machine
      const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
      if (major > minNode[0] || (major === minNode[0] && minor >= minNode[1])) return []
      return [
        {
          about: 'Node',
          message: `is ${nodeVersion}, and ${minNode.join('.')} is the oldest that will do`,
          mend: 'install a newer one from https://nodejs.org',
        },
      ]
    },
  },
  {
    id: 'secret-files-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'warn',
    demand: 'only their owner can read or write the files that secrets are read from',
    find: ({ machine }) =>
      machine && machine.secretFiles.length > 0
        ? openFiles(machine.secretFiles).map(({ path }) => ({
            about: path,
            message: 'holds a secret, and other users of this machine can read or write it',
            mend: `chmod 600 ${path}`,
          }))
        : undefined,
  },
]

/** What is known of the machine: its Node, and who can read its files. */
export const feature: Feature = { name: 'machine', rules }
