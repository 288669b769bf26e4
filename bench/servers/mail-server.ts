// A mail server that accepts every mail and forgets it.
import { SMTPServer } from 'smtp-server'
import { hostname, variable } from './environment.ts'

const server = new SMTPServer({
  authOptional: true,
  hideSTARTTLS: true,
  onData: (stream, _session, done) => void stream.on('end', () => done()).resume(),
})
server.on('error', () => {})
server.listen(Number(variable('MAIL_PORT')), hostname)
