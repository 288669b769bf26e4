// npm run bench:peers: what Keystile is measured against, from the lock file beside this. The
// Python peers are the distribution's own: apt-get install python3-fastapi python3-uvicorn
// python3-jwt python3-argon2 python3-python-multipart
import { spawnSync } from 'node:child_process'

// npm hands the settings of this repository down; here they would install in the wrong folder.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
)
const { status, error } = spawnSync(
  'npm',
  ['ci', '--ignore-scripts', '--omit=optional', '--omit=peer'],
  {
    cwd: import.meta.dirname,
    env,
    stdio: 'inherit',
  },
)
if (error) throw error
process.exitCode = status ?? 1
