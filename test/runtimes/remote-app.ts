// Lets the tests of adapters/suite.ts run on an app in another runtime: the records of the app are
// copied into a stage of this process after each answer.
import { exportPrivateJwk, generateKey } from 'keystile/jwt'
import { createStage, type Stage } from '../adapters/app.ts'
import { clientOf, type Client, type Connection } from '../adapters/client.ts'
import type { Open } from '../adapters/suite.ts'
import type { Orders, Send } from './orders.ts'

const signingKey = generateKey('ES256')

/** Makes a function that sends orders to the program on a port. */
export function senderTo({ send }: Client): Send {
  return async (name, sent) => {
    const headers = ['content-type', 'application/json']
    const body = JSON.stringify(sent)
    const { status, text } = await send({ method: 'POST', path: `/~/${name}`, headers, body })
    if (status !== 200) throw new Error(`/~/${name} must answer 200, not ${status}: ${text}`)
    return JSON.parse(text) as Orders[typeof name]['answered']
  }
}

/** @param port returns the port of the program, which runs when the tests run */
export function openIn(framework: 'hono' | 'web', port: () => number): Open {
  return (withUser) => {
    const stage = createStage({ withUser, signingKey })
    return {
      stage,
      async start() {
        const client = clientOf(port())
        const send = senderTo(client)
        await send('open', { framework, withUser, key: exportPrivateJwk(signingKey) })
        const link = linkTo(stage, send)
        return { ...observe(client, link), close: async () => {} }
      },
    }
  }
}

/** What is done before and after each exchange with the app. */
interface Link {
  /** Waits until the orders of the test have arrived. */
  settle(): Promise<void>
  /** Copies the records of the app into the stage. */
  copy(): Promise<void>
}

/** Lets the methods of a stage act on the app. */
function linkTo(stage: Stage, send: Send): Link {
  let orders: Promise<unknown> = Promise.resolve()
  const order = (sending: () => Promise<unknown>): void => {
    orders = orders.then(sending)
  }
  const copy = async (): Promise<boolean> => {
    const { errors, isWaiting, verifications, ...lists } = await send('records', {})
    stage.handled.push(...lists.handled)
    // JSON has no undefined.
    stage.refused.push(...lists.refused.map((told) => ({ ...told, route: told.route })))
    stage.asked.push(...lists.asked)
    stage.verifications += verifications
    stage.errors.push(
      ...errors.map(({ isTypeError, message }) =>
        isTypeError ? new TypeError(message) : new Error(message),
      ),
    )
    return isWaiting
  }
  const { advance } = stage
  Object.assign(stage, {
    advance(seconds: number) {
      advance(seconds)
      order(() => send('advance', { seconds }))
    },
    hold: () => order(() => send('hold', {})),
    release: () => order(() => send('release', {})),
  })
  Object.defineProperty(stage, 'waiting', {
    get: async () => {
      await orders
      while (!(await copy()));
    },
  })
  return {
    settle: async () => void (await orders),
    copy: async () => void (await copy()),
  }
}

function observe(client: Client, { settle, copy }: Link): Client {
  return {
    async send(sent) {
      await settle()
      const received = await client.send(sent)
      await copy()
      return received
    },
    connect() {
      const connection = client.connect()
      const read: Connection['read'] = async () => {
        await settle()
        const received = await connection.read()
        await copy()
        return received
      }
      const write = (text: string): void => void settle().then(() => connection.write(text))
      return { ...connection, read, write }
    },
  }
}
