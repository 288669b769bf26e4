// The stand-alone server with password hashes that cost nearly nothing, on a database with many
// users.
import { startStandAlone } from '../../packages/server/test-support/whole-server.ts'
import { issuer } from '../stand-alone.ts'
import { variable } from './environment.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
await startStandAlone(
  {
    issuer,
    database: variable('DATABASE'),
    key: variable('KEY'),
    accessTokenSeconds: 24 * 60 * 60,
    logger: quiet,
  },
  Number(variable('PORT')),
)
