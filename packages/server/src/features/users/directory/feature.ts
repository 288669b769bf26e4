import type { UserObject } from 'keystile'
import { findNearest } from 'keystile/internal'
import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type Setting } from '../../../feature/setting.ts'
import { isOff } from '../../credentials/second-factors/factor-choice.ts'
import type { BuiltInScope } from '../scopes/scopes.ts'
import { directoryFunctions, type UserDirectory } from './directory.ts'

export interface DirectoryOptions<S extends string, U> {
  readonly users: UserDirectory<U, NoInfer<S | BuiltInScope>>
}

const users: Setting<'users', UserDirectory<UserObject>> = {
  name: 'users',
  takenBy: 'app',
  schema: z
    .custom<UserDirectory<UserObject>>((value) => typeof value === 'object' && value !== null, {
      error: 'must be an object of functions',
    })
    .superRefine((directory, { addIssue }) => {
      for (const { name, message } of listFaults(directory))
        addIssue({ code: 'custom', path: [name], message })
    }),
  findFaults: ({ needsFactor }, others, say) =>
    needsFactor && isOff(others)
      ? [
          'must have no needsFactor while secondFactor is off. ' +
            `Fix: ${say.set('secondFactor', 'optional')}`,
        ]
      : [],
  defaultText: "Keystile's own accounts",
  help: "the application's own users, instead of Keystile's accounts",
}

type Options = DirectoryOptions<string, UserObject>

/** The users who log in, wherever they are stored, and the names that they log in with. */
export const feature: Feature<Options> = {
  name: 'directory',
  settings: listSettings<Options>({ users }),
}

/** A member of the app's directory, and what is wrong with it. */
interface MemberFault {
  readonly name: string
  readonly message: string
}

function listFaults(directory: UserDirectory<UserObject>): readonly MemberFault[] {
  const misspelt = findMisspelt(directory)
  const isMeant = (name: string): boolean => misspelt.some(({ meant }) => meant === name)
  const faults: MemberFault[] = findMissingFunctions(directory)
    .filter((name) => !isMeant(name))
    .map((name) => ({ name, message: 'must be a function' }))

  if (typeof directory.setPassword === 'function' && directory.email === undefined)
    faults.push({ name: 'email', message: emailNeeded })
  if (directory.cached !== undefined && typeof directory.cached !== 'boolean')
    faults.push({ name: 'cached', message: 'must be true or false' })
  for (const { name, meant } of misspelt)
    faults.push({ name, message: `is not known; did you mean ${meant}?` })
  return faults
}

const emailNeeded =
  'must be a function, because setPassword is given: the mail with the link for a new password ' +
  'goes to the address that this function returns'

function findMissingFunctions(directory: UserDirectory<UserObject>): readonly string[] {
  const { required, optional } = directoryFunctions
  return [...required, ...optional.filter((name) => directory[name] !== undefined)].filter(
    (name) => typeof directory[name] !== 'function',
  )
}

interface Misspelt {
  readonly name: string
  /** The similar name of a function that the directory lacks. */
  readonly meant: string
}

/**
 * Finds members of the app's directory that are probably misspelt functions. Other unknown members
 * are allowed.
 */
function findMisspelt(directory: UserDirectory<UserObject>): readonly Misspelt[] {
  const known = [...directoryFunctions.required, ...directoryFunctions.optional]
  const absent = known.filter((name) => directory[name] === undefined)
  return Object.keys(directory).flatMap((name) => {
    const meant = known.some((one) => one === name) ? undefined : findNearest(name, absent)
    return meant === undefined ? [] : [{ name, meant }]
  })
}
