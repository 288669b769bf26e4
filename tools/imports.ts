import { codeOnly } from './code-only.ts'

/** An import of another file or of a package. */
export interface Import {
  /**
   * The specifier as it is written, such as './base/bytes.ts' or 'node:crypto'. If it is not a
   * literal, this member is `computed`.
   */
  readonly specifier: string
  /** Whether the statement imports only types, so that it loads nothing at run time. */
  readonly typeOnly: boolean
  /** Whether the statement is an `export … from`. */
  readonly passedOn: boolean
  /**
   * Whether the import is loaded only when an `import(…)` runs. Other imports are loaded together
   * with the file.
   */
  readonly deferred: boolean
}

/** The specifier of an `import(…)` whose argument is not a plain string. */
export const computed = '(computed)'

// Between the keyword and `from` stand only names, braces, commas and stars, and no second `import`
// or `export`.
const statement =
  /\b(import|export)\b(\s+type\b(?!\s+from\b|\s*,))?(?:(?!\b(?:import|export)\b)[\w\s{},*$])*?\bfrom\s*(?=['"])/g
const effectOnly = /\bimport\s*(?=['"])/g
const call = /\b(?:import|getBuiltinModule)\s*\(\s*/g

/**
 * Lists what a source file imports: by static imports, by imports without names, and by `import(…)`
 * or `process.getBuiltinModule(…)`.
 *
 * @throws {Error} if `codeOnly()` cannot read the source, or if the source has an import or export
 *   of an unknown form
 */
export function importsOf(source: string): readonly Import[] {
  const code = codeOnly(source)
  const literalAt = (index: number): string | undefined => {
    const quote = code[index]
    return quote === "'" || quote === '"'
      ? source.slice(index + 1, code.indexOf(quote, index + 1))
      : undefined
  }
  const found = (pattern: RegExp): readonly (Import & { readonly index: number })[] =>
    [...code.matchAll(pattern)].map((match) => ({
      index: match.index,
      specifier: literalAt(match.index + match[0].length) ?? computed,
      typeOnly: match[2] !== undefined,
      passedOn: match[1] === 'export',
      deferred: pattern === call,
    }))

  const statements = found(statement)
  // If there is a form of import that `statement` does not know, the check must fail.
  if (statements.length !== [...code.matchAll(/\bfrom\s*['"]/g)].length) {
    throw new Error(`each "from '…'" must belong to an import or export that importsOf() can read`)
  }
  return [...statements, ...found(effectOnly), ...found(call)]
    .toSorted((a, b) => a.index - b.index)
    .map(({ specifier, typeOnly, passedOn, deferred }) => ({
      specifier,
      typeOnly,
      passedOn,
      deferred,
    }))
}

/**
 * Returns the package of a specifier: 'node:fs' for 'node:fs/promises', '@node-rs/argon2' for
 * '@node-rs/argon2/x', 'keystile' for 'keystile/jwt'.
 */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
