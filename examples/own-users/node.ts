import { createServer, type ServerResponse } from 'node:http'
import { createGuard, mount } from 'keystile/node'
import { keystile } from './auth.ts'

const guard = createGuard(keystile)
const auth = mount(keystile)
const [reading, selling] = [guard(), guard('orders:write')]

const json = (response: ServerResponse, status: number, body: object): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

export const app = createServer((request, response) =>
  auth(request, response, () => {
    switch (`${request.method} ${request.url}`) {
      case 'GET /orders':
        return reading(request, response, () =>
          json(response, 200, { email: guard.caller(request).user.email, orders: ['lamp', 'chair'] }),
        )
      case 'POST /orders':
        return selling(request, response, () => json(response, 201, { sold: 'lamp' }))
      default:
        return json(response, 404, { detail: 'There is nothing here' })
    }
  }),
)
