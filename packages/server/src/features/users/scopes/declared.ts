// An app declares its scopes, its roles and its users in code, which the command `keystile` cannot
// read. So each start of the app stores what the command must know.
import type { Database } from '../../../storage/database.ts'
import { scopeRulesOf, type ScopeRules, type ScopeSettings } from './scopes.ts'
import { readDeclared, storeDeclared } from './store.ts'

interface Declared extends Pick<ScopeSettings, 'scopes' | 'roles'> {
  /** Whether the app stores the users itself. */
  readonly hasAppUsers?: boolean
}

/**
 * Stores the declared scopes and roles, and whether the app stores the users itself. If two
 * processes declare different things, the process that started last wins.
 */
export async function saveDeclared(
  database: Pick<Database, 'reader' | 'write'>,
  { scopes, roles, users }: Declared & { readonly users?: unknown },
): Promise<void> {
  const declared: Declared = { scopes, roles, ...(users !== undefined && { hasAppUsers: true }) }
  const text = JSON.stringify(declared)
  if ((await readDeclared(database.reader)) !== text) await database.write(storeDeclared, text)
}

/**
 * Returns the scopes and roles of the settings, together with those that the app stored when it
 * last started. If both have an entry of the same name, the settings win.
 */
export async function readScopeRules(
  { reader }: Pick<Database, 'reader'>,
  settings: ScopeSettings,
): Promise<ScopeRules> {
  const stored = await findDeclared(reader)
  return scopeRulesOf({
    ...settings,
    scopes: { ...stored.scopes, ...settings.scopes },
    roles: { ...stored.roles, ...settings.roles },
  })
}

/** Whether the app that last started on this database stores the users itself. */
export async function hasAppUsers({ reader }: Pick<Database, 'reader'>): Promise<boolean> {
  return (await findDeclared(reader)).hasAppUsers === true
}

async function findDeclared(reader: Database['reader']): Promise<Declared> {
  const text = await readDeclared(reader)
  return text === undefined ? { scopes: {}, roles: {} } : (JSON.parse(text) as Declared)
}
