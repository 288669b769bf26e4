import { existsSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

const port = Number(process.env['PORT'] ?? 5173)
const api = `http://localhost:${process.env['API_PORT'] ?? 3000}`

// In a clone, keystile may not be compiled yet, so Vite reads its source.
const isClone = existsSync(new URL('../../packages/keystile/src', import.meta.url))
const source = isClone ? ['source'] : []

// The browser sees one origin: Vite passes on what the API answers. In production, let one server or
// proxy do the same.
export default defineConfig({
  plugins: [react()],
  resolve: { conditions: [...source, ...defaultClientConditions] },
  server: { host: 'localhost', port, strictPort: true, proxy: { '/auth': api, '/items': api } },
})
