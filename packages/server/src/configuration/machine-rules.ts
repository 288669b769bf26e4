import { findNodeFault, minNode } from '../base/node-version.ts'
import type { Feature } from '../feature/feature.ts'
import type { Rule } from '../feature/rule.ts'
import { openFiles } from '../feature/situation.ts'

const rules: readonly Rule<unknown>[] = [
  {
    id: 'settings-complete',
    standard: 'ASVS 5.0 2.2.1',
    severity: 'stop',
    demand: 'every setting must be known and valid',
    find: ({ faults }) =>
      faults?.map((fault) => {
        const [text = '', fix = 'correct it; "keystile help" says what each setting may be'] =
          fault.split('. Fix: ')
        const end = text.indexOf(' ')
        return { about: text.slice(0, end), message: text.slice(end + 1), fix }
      }),
  },
  {
    id: 'node-version',
    standard: 'package.json, engines',
    severity: 'stop',
    demand:
      `Node must be ${minNode.join('.')} or newer, because node:sqlite is not complete ` +
      'in older versions',
    find({ machine }) {
      if (!machine) return undefined

      const fault = findNodeFault(machine.nodeVersion)
      return fault ? [fault] : []
    },
  },
  {
    id: 'secret-files-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'warn',
    demand:
      'only the owner may read and write the files that secrets are read from, and the owner ' +
      'must be root or the user of Keystile',
    find: ({ machine }) =>
      machine && machine.secretFiles.length > 0
        ? [
            ...openFiles(machine.secretFiles).map(({ path }) => ({
              about: path,
              message:
                'must be private, because it holds a secret; other users of this machine can ' +
                'read or write the file',
              fix: `chmod 600 ${path}`,
            })),
            ...machine.secretFiles
              .filter((file) => file.isForeign)
              .map(({ path }) => ({
                about: path,
                message: 'must not belong to another user, because it holds a secret',
                fix: `make root or the user of Keystile the owner: chown USER ${path}`,
              })),
          ]
        : undefined,
  },
]

/** Rules about the machine: its version of Node, and the permissions of its files. */
export const feature: Feature = { name: 'machine', rules }
