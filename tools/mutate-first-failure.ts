// A reporter of node:test that ends the process at the first failure: one test that notices is enough.

interface TestEvent {
  readonly type: string
  readonly data: { readonly todo?: string | boolean }
}

export default async function* endAtFirstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.todo === undefined) process.exit(1)
  }
  yield ''
}
