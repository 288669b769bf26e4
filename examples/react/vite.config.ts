import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const port = Number(process.env['PORT'] ?? 5173)
const api = `http://localhost:${process.env['API_PORT'] ?? 3000}`

// The browser sees one origin: Vite passes on what the API answers. In production, let one server or
// proxy do the same.
export default defineConfig({
  plugins: [react()],
  server: { host: 'localhost', port, strictPort: true, proxy: { '/auth': api, '/items': api } },
})
