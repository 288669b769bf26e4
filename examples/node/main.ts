// A node:http server with accounts, login and a guarded route, without a framework.
import { createServer } from 'node:http'
import { createKeystile } from '@keystile/server'
import { createGuard, mount } from 'keystile/node'

const port = Number(process.env['PORT'] ?? 3000)

const keystile = await createKeystile({
  issuer: `http://localhost:${port}/auth`,
  database: 'data/node-example.db',
})
const guard = createGuard(keystile)
const auth = mount(keystile)
const loggedIn = guard()

const server = createServer((request, response) =>
  auth(request, response, () => {
    const json = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    if (request.url !== '/items') return json(404, { detail: 'There is nothing here' })
    return loggedIn(request, response, () =>
      json(200, { owner: guard.caller(request).user.username }),
    )
  }),
)
server.listen(port, 'localhost', () => console.log(`listening on http://localhost:${port}`))
