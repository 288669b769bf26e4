// HAProxy and PgBouncer, with the settings that the guides recommend.
import { isListening } from '../../support/listening.ts'
import type { PatroniNode } from './patroni.ts'
import { findPorts, waitUntil, type Programs } from './programs.ts'

const haproxySettings = `
global
  maxconn 1000
defaults
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  timeout check 1s
  retries 2
`

/** Starts an HAProxy that passes connections to the primary. Returns its port. */
export async function startPrimaryProxy(
  programs: Programs,
  nodes: readonly PatroniNode[],
): Promise<number> {
  const [port = NaN] = await findPorts(1)
  const servers = nodes.map(
    ({ postgres, patroni }, n) => `  server node${n} 127.0.0.1:${postgres} check port ${patroni}`,
  )
  const file = programs.write(
    'primary.cfg',
    `${haproxySettings}
listen primary
  mode tcp
  bind 127.0.0.1:${port}
  option httpchk OPTIONS /primary
  http-check expect status 200
  # Without the last option, connections to a server that is no longer the primary stay open.
  default-server inter 300ms fastinter 100ms downinter 300ms fall 1 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`,
  )
  programs.start('primary', ['haproxy', '-db', '-f', file])
  await listens(port)
  return port
}

/** Starts an HAProxy that sends each request to the next server. Returns its port. */
export async function startHttpProxy(
  programs: Programs,
  ports: readonly number[],
): Promise<number> {
  const [port = NaN] = await findPorts(1)
  const servers = ports.flatMap((at, n) => [
    `  server keystile${n} 127.0.0.1:${at} check`,
    // If no server is ready, requests go to all of them.
    `  server unready${n} 127.0.0.1:${at} backup`,
  ])
  const file = programs.write(
    'http.cfg',
    `${haproxySettings}
listen keystile
  mode http
  bind 127.0.0.1:${port}
  balance roundrobin
  option forwardfor
  http-response set-header X-Server %s
  option httpchk GET /readyz
  option allbackups
  default-server inter 500ms fall 2 rise 1
${servers.join('\n')}
`,
  )
  programs.start('http', ['haproxy', '-db', '-f', file])
  await listens(port)
  return port
}

export interface RunningPgBouncer {
  readonly port: number
  kill(): Promise<void>
}

/**
 * Starts a PgBouncer in transaction mode.
 *
 * @param to the port of PostgreSQL, and the user of all connections to it
 */
export async function startPgBouncer(
  programs: Programs,
  to: { readonly port: number; readonly user: string },
): Promise<RunningPgBouncer> {
  const [port = NaN] = await findPorts(1)
  const file = programs.write(
    'pgbouncer.ini',
    `[databases]
* = host=127.0.0.1 port=${to.port} user=${to.user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
# Three servers with 22 each, and room for tests: if all are in use, reads of revocations wait too.
default_pool_size = 80
max_client_conn = 500
# The default, 200, hides errors of named prepared statements. 0 is what older versions do.
max_prepared_statements = 0
# The default of each is 15 s: a new primary would be found that much later.
server_login_retry = 1
server_connect_timeout = 2
query_wait_timeout = 10
server_check_delay = 0
server_fast_close = 1
`,
  )
  const folder = programs.makeFolder('pgbouncer')
  programs.start('pgbouncer', ['pgbouncer', file], { cwd: folder })
  await listens(port)
  return { port, kill: () => programs.killIn(folder) }
}

async function listens(port: number): Promise<void> {
  await waitUntil(`no program listens on port ${port}`, () => isListening(port))
}
