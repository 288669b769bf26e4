// npm run bench:peers: installs what Keystile is compared with, from the lock file in this folder.
// The Python peers are the distribution's own: apt-get install python3-fastapi python3-uvicorn
// python3-uvloop python3-httptools python3-jwt python3-argon2 python3-python-multipart
import { spawnSync } from 'node:child_process'

// npm passes on the settings of this repository, which would install into the wrong folder.
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
