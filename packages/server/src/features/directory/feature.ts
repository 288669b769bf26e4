import * as z from 'zod'
import type { UserObject } from 'keystile'
import type { Feature } from '../../feature/feature.ts'
import { listSettings, type Setting } from '../../feature/setting.ts'
import type { BuiltInScope } from '../scopes/scopes.ts'
import { directoryFunctions, type UserDirectory } from './directory.ts'

export interface DirectoryOptions<S extends string, U> {
  /** The application's own users. */
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
      for (const name of findMissingFunctions(directory))
        addIssue({ code: 'custom', path: [name], message: 'must be a function' })
    }),
  defaultText: "Keystile's own accounts",
  help: "the application's own users, instead of Keystile's accounts",
}

type Options = DirectoryOptions<string, UserObject>

/** The users who log in, wherever they are kept, and the names they log in with. */
export const feature: Feature<Options> = {
  name: 'directory',
  settings: listSettings<Options>({ users }),
}

function findMissingFunctions(directory: UserDirectory<UserObject>): readonly string[] {
  const { required, optional } = directoryFunctions
  return [...required, ...optional.filter((name) => directory[name] !== undefined)].filter(
    (name) => typeof directory[name] !== 'function',
  )
}
