import { sql, type Compilable, type CompiledQuery, type Kysely, type RawBuilder } from 'kysely'
import { inTables, type Reader } from './database.ts'

/** A placeholder for each value of a query. */
export type Slots<Values> = { readonly [Name in keyof Values]-?: RawBuilder<Values[Name]> }

/** Stands for a value in a compiled query, until the query runs. */
class Slot {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Has a placeholder under each name, because the names of the values are known only as types. */
const slots: unknown = new Proxy({}, { get: (_target, name) => sql.val(new Slot(String(name))) })

/**
 * Returns a function that runs a query. Kysely compiles the query only once for each kind of
 * database. Use it for the writes of each login or refresh: to build such a statement, Kysely takes
 * longer than SQLite takes to run it.
 *
 * @param build builds the query from placeholders. It runs only once, so the shape of the query
 *   must not depend on the values.
 */
export function prepare<Tables, Values extends object, Row>(
  build: (db: Kysely<Tables>, values: Slots<Values>) => Compilable<Row>,
): (db: Reader, values: Values) => Promise<readonly Row[]> {
  const compiled = new WeakMap<object, CompiledQuery<Row>>()
  return async (db, values) => {
    const kind = db.getExecutor().adapter.constructor
    let query = compiled.get(kind)
    if (!query) {
      query = build(inTables<Tables>(db), slots as Slots<Values>).compile()
      compiled.set(kind, query)
    }

    const parameters = query.parameters.map((value) =>
      value instanceof Slot ? values[value.name as keyof Values] : value,
    )
    return (await db.executeQuery<Row>({ ...query, parameters })).rows
  }
}
