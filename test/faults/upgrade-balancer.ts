// Sends requests to several servers, as a load balancer does: a server that is to stop gets no new
// requests, and stops when it has answered the others.
import type { RunningServer } from '../../packages/server/test-support/command.ts'
import type { Answer, SendOptions } from '../../packages/server/test-support/keystile.ts'
import { readAnswer } from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'
import type { Random } from './random.ts'

type Send = (method: string, path: string, options?: SendOptions) => Promise<Answer>

/** A server that runs. */
export interface Instance {
  readonly send: Send
  stop(): Promise<unknown>
}

interface Place {
  readonly start: () => Promise<Instance>
  instance: Instance
  inFlight: number
  isDraining: boolean
}

export interface Balancer {
  /** Sends a request to one of the servers. */
  readonly send: Send
  /** Returns a function that sends requests to one server, and to another when that one stops. */
  choose(): Send
  add(start: () => Promise<Instance>): Promise<void>
  /** Stops a server when it has answered its requests, and starts it again. */
  restart(index: number): Promise<void>
  stop(): Promise<void>
  readonly restarts: number
}

export function createBalancer(random: Random): Balancer {
  const places: Place[] = []
  let restarts = 0

  const pick = (): Place => {
    const open = places.filter(({ isDraining }) => !isDraining)
    const place = open[random(open.length)]
    if (!place) throw new Error('there must be a server')
    return place
  }
  const sendTo = async (place: Place, ...request: Parameters<Send>): Promise<Answer> => {
    place.inFlight++
    try {
      return await place.instance.send(...request)
    } finally {
      place.inFlight--
    }
  }
  return {
    send: (...request) => sendTo(pick(), ...request),
    choose() {
      let place = pick()
      return (...request) => {
        if (place.isDraining) place = pick()
        return sendTo(place, ...request)
      }
    },
    async add(start) {
      places.push({ start, instance: await start(), inFlight: 0, isDraining: false })
    },
    async restart(index) {
      const place = places[index]
      if (!place) throw new Error(`there must be a server ${index}`)
      place.isDraining = true
      await until(() => place.inFlight === 0)
      await place.instance.stop()
      place.instance = await place.start()
      place.isDraining = false
      restarts++
    },
    async stop() {
      await Promise.all(places.map(({ instance }) => instance.stop()))
    },
    get restarts() {
      return restarts
    },
  }
}

/** Returns a server in a process of its own as an instance. */
export function overHttp(running: RunningServer): Instance {
  return {
    stop: () => running.stop(),
    send: async (method, path, { json, form, bearer } = {}) =>
      readAnswer(
        await fetch(`${running.url}/auth${path}`, {
          method,
          headers: {
            ...(json !== undefined && { 'content-type': 'application/json' }),
            ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
          },
          body: json !== undefined ? JSON.stringify(json) : form ? new URLSearchParams(form) : null,
        }),
      ),
  }
}
