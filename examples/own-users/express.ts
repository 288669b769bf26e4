import express from 'express'
import { createGuard, mount } from 'keystile/express'
import { keystile } from './auth.ts'

const guard = createGuard(keystile)

export const app = express()
app.use(mount(keystile))
app.get('/orders', guard(), (req, res) => {
  res.json({ email: guard.caller(req).user.email, orders: ['lamp', 'chair'] })
})
app.post('/orders', guard('orders:write'), (_req, res) => {
  res.status(201).json({ sold: 'lamp' })
})
