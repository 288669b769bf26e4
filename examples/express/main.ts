// An Express app with accounts, login and guarded routes.
import { createKeystile } from '@keystile/server'
import express from 'express'
import { createGuard, mount } from 'keystile/express'

const port = Number(process.env['PORT'] ?? 3000)

const keystile = await createKeystile({
  issuer: `http://localhost:${port}/auth`,
  database: 'data/express-example.db',
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  defaultScopes: ['items:read'],
})
const guard = createGuard(keystile)

const app = express()
app.use(mount(keystile))
app.get('/items', guard('items:read'), (req, res) => void res.json({ owner: guard.caller(req).user.username }))
app.post('/items', guard('items:write'), express.json(), (req, res) => void res.status(201).json(req.body))

app.listen(port, 'localhost', () => console.log(`listening on http://localhost:${port}`))
