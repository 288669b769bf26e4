import { findNodeFault, minNode } from '../base/node-version.ts'
import type { Feature } from '../feature/feature.ts'
import { findFileFaults } from '../feature/file-faults.ts'
import type { Fault, Rule } from '../feature/rule.ts'

const rules: readonly Rule<unknown>[] = [
  {
    id: 'settings-complete',
    standard: 'ASVS 5.0 2.2.1',
    severity: 'stop',
    demand: 'every setting must be known and valid',
    find: ({ faults }) => faults?.map(splitFault),
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
        ? findFileFaults(machine.secretFiles, 'it holds a secret')
        : undefined,
  },
]

/**
 * Splits the fault of a setting, such as `--config must name a file; x does not exist. Fix: correct
 * the path`. The subject, which is one word, and the fix are separate in the output of `doctor`.
 */
function splitFault(fault: string): Fault {
  const [sentence = '', fix = 'correct it; "keystile help" says what each setting may be'] =
    fault.split('. Fix: ')
  const end = sentence.indexOf(' ')
  return { about: sentence.slice(0, end), message: sentence.slice(end + 1), fix }
}

/** Rules about the machine: its settings, its version of Node, and the permissions of its files. */
export const feature: Feature = { name: 'machine', rules }
