// The decorators above resolvers of @nestjs/graphql, with Mercurius as the GraphQL server.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { afterEach, describe, it } from 'node:test'
import { Module, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  Field,
  GraphQLModule,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql'
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Caller, Guard, KeystileModule, OptionalCaller, Public, type CallerOf } from 'keystile/nest'
import { createTestIssuer } from 'keystile/testing'
import { decorate } from './nest-app.ts'

const issuer = createTestIssuer()
const options = { verifier: issuer.verifier }
type Me = CallerOf<typeof options>

class Item {
  declare readonly name: string
}
ObjectType()(Item)
Field(() => String)(Item.prototype, 'name')

/** Ends an event of the subscription `items`. */
let next = Promise.withResolvers<void>()

class Items {
  me({ identity }: Me): string {
    return identity.subject
  }
  open(caller: Me | undefined): string {
    return caller?.identity.subject ?? 'stranger'
  }
  async *items(): AsyncGenerator<{ readonly items: object }> {
    for (;;) {
      yield { items: { name: 'lamp' } }
      await next.promise
      next = Promise.withResolvers()
    }
  }
  cost(): number {
    return 7
  }
}
Resolver(() => Item)(Items)
decorate(Items, 'me', [Query(() => String)], [Caller()])
decorate(Items, 'open', [Query(() => String), Public()], [OptionalCaller()])
decorate(Items, 'items', [Subscription(() => Item)])
decorate(Items, 'cost', [ResolveField(() => Number), Guard()])

let app: INestApplication | undefined
afterEach(async () => {
  await app?.close()
  app = undefined
})

/** Starts an app, and returns the URL of its GraphQL endpoint. */
async function start(settings: Partial<MercuriusDriverConfig>): Promise<string> {
  class App {
    readonly name = 'app'
  }
  const graphql = GraphQLModule.forRoot<MercuriusDriverConfig>({
    driver: MercuriusDriver,
    autoSchemaFile: true,
    fieldResolverEnhancers: ['guards'],
    ...settings,
  })
  Module({ imports: [KeystileModule.forRoot(options), graphql], providers: [Items] })(App)
  const platform = new FastifyAdapter()
  app = await NestFactory.create(App, platform, { logger: false, abortOnError: false })
  await app.listen(0, '127.0.0.1')
  return `${await app.getUrl()}/graphql`
}

/** Sends a query with a token of `subject`, or without a token. */
async function ask(url: string, query: string, subject?: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(subject !== undefined && issuer.headers({ subject })),
    },
    body: JSON.stringify({ query }),
  })
  return response.text()
}

describe('the guard of a GraphQL app', () => {
  it('each request is judged by its own token', async () => {
    const url = await start({})
    assert.equal(await ask(url, '{ me }', 'ada'), '{"data":{"me":"ada"}}')
    assert.match(await ask(url, '{ me }'), /"data":null.*Not authenticated/)
    assert.equal(await ask(url, '{ me }', 'eve'), '{"data":{"me":"eve"}}')
  })

  it('queries of one batch have the same caller', async () => {
    const url = await start({ allowBatchedQueries: true })
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...issuer.headers({ subject: 'ada' }) },
      body: JSON.stringify([{ query: '{ me }' }, { query: '{ me }' }]),
    })
    const one = { data: { me: 'ada' } }
    assert.deepEqual(await response.json(), [one, one])
  })

  it('an app whose option `context` is an object does not start', async () => {
    await assert.rejects(start({ context: { pubsub: {} } }), {
      name: 'TypeError',
      message:
        'the option `context` of GraphQLModule is an object, so all requests would share one ' +
        'context, and the guard could not know whose token counts. Fix: context: () => ({ … })',
    })
  })

  const shared: Readonly<Record<string, () => (request: object) => object>> = {
    'keeps the first request': () => {
      const context = {}
      return () => context
    },
    'replaces the request': () => {
      const context = {}
      return (req) => Object.assign(context, { req })
    },
  }
  for (const [name, create] of Object.entries(shared)) {
    it(`a context of all requests that ${name} admits no second request`, async () => {
      const url = await start({ context: create() })
      assert.equal(await ask(url, '{ me }', 'ada'), '{"data":{"me":"ada"}}')
      for (const subject of [undefined, 'ada', 'eve'])
        assert.match(
          await ask(url, '{ me }', subject),
          /"data":null.*several requests share one GraphQL context/,
        )
    })

    it(`a context of all requests that ${name} passes no caller to an open query`, async () => {
      const url = await start({ context: create() })
      assert.equal(await ask(url, '{ me }', 'ada'), '{"data":{"me":"ada"}}')
      assert.match(await ask(url, '{ open }'), /"data":null.*share one GraphQL context/)
    })
  }

  it('a context that copies the members of another request’s has no caller', async () => {
    let last = {}
    const context = (req: object): object => {
      last = { ...last, req }
      return last
    }
    const url = await start({ context })
    assert.equal(await ask(url, '{ me }', 'ada'), '{"data":{"me":"ada"}}')
    assert.match(await ask(url, '{ me }'), /"data":null.*Not authenticated/)
    assert.match(await ask(url, '{ open }'), /"data":null.*no guard ran for this handler/)
  })

  it('the guard of a field checks each event of a subscription', async () => {
    const url = await start({ subscription: true })
    const sessionId = 'ended-later'
    // Node's own WebSocket takes headers, though a browser's does not.
    const client = new WebSocket(url.replace('http', 'ws'), {
      protocols: 'graphql-transport-ws',
      headers: issuer.headers({ sessionId }),
    })
    const receive = async (): Promise<string> => {
      const [{ data }] = (await once(client, 'message')) as [{ readonly data: string }]
      return data
    }
    await once(client, 'open')

    client.send(JSON.stringify({ type: 'connection_init' }))
    assert.match(await receive(), /connection_ack/)

    const query = 'subscription { items { name cost } }'
    client.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
    assert.match(await receive(), /"name":"lamp","cost":7/)

    issuer.revoke(sessionId)
    next.resolve()
    assert.match(await receive(), /revoked/)
    client.close()
  })
})
