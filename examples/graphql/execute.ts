// Replaces a GraphQL library, so that the example needs none. It knows only flat queries, such as
// `{ news me }`.

/** In graphql-js: `new GraphQLError(message, { extensions })`. */
export class FieldError extends Error {
  readonly extensions: object

  constructor(message: string, extensions: object) {
    super(message)
    this.extensions = extensions
  }
}

export interface Result {
  readonly data: Readonly<Record<string, unknown>>
  readonly errors?: readonly object[]
}

export async function execute<C>(
  resolvers: Readonly<Record<string, (context: C) => unknown>>,
  query: string,
  context: C,
): Promise<Result> {
  const data: Record<string, unknown> = {}
  const errors: object[] = []
  for (const field of query.match(/\w+/g) ?? []) {
    try {
      data[field] = Object.hasOwn(resolvers, field) ? await resolvers[field]!(context) : null
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      data[field] = null
      errors.push({ message: error.message, path: [field], extensions: error.extensions })
    }
  }
  return { data, ...(errors.length > 0 && { errors }) }
}
