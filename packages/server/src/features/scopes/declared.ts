// An app declares its scopes and roles in code, which the command `keystile` cannot read. So each
// start of the app stores them in the database.
import type { Database } from '../../storage/database.ts'
import { scopeRulesOf, type ScopeRules, type ScopeSettings } from './scopes.ts'
import { readDeclared, storeDeclared } from './store.ts'

type Declared = Pick<ScopeSettings, 'scopes' | 'roles'>

/**
 * Stores the declared scopes and roles. If two processes declare different scopes or roles, the
 * process that started last wins.
 */
export async function saveDeclared(
  database: Pick<Database, 'reader' | 'write'>,
  { scopes, roles }: Declared,
): Promise<void> {
  const text = JSON.stringify({ scopes, roles } satisfies Declared)
  if ((await readDeclared(database.reader)) !== text) await database.write(storeDeclared, text)
}

/**
 * Returns the scopes and roles of the settings, together with the scopes and roles that the latest
 * start stored. If both have the same name, the setting wins.
 */
export async function readScopeRules(
  { reader }: Pick<Database, 'reader'>,
  settings: ScopeSettings,
): Promise<ScopeRules> {
  const text = await readDeclared(reader)
  const stored = text === undefined ? { scopes: {}, roles: {} } : (JSON.parse(text) as Declared)
  return scopeRulesOf({
    ...settings,
    scopes: { ...stored.scopes, ...settings.scopes },
    roles: { ...stored.roles, ...settings.roles },
  })
}
