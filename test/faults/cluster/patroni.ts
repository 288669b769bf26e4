// A cluster of three PostgreSQL servers with synchronous replication: Patroni chooses the primary,
// and keeps its decisions in three processes of etcd.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { findPorts, kill, postgresFolder, waitUntil, type Programs } from './programs.ts'

/** How to break the primary. */
export const faults = ['switchover', 'kill', 'loss'] as const
/**
 * - `switchover`: an operator makes the synchronous standby the primary.
 * - `kill`: SIGKILL ends the main process of the primary's PostgreSQL.
 * - `loss`: SIGKILL ends Patroni and all processes of its PostgreSQL, as if the machine was lost.
 */
export type Fault = (typeof faults)[number]

export interface PatroniCluster {
  readonly nodes: readonly PatroniNode[]
  /** Creates a role and a database of the same name, and returns when both exist. */
  createDatabase(name: string): Promise<void>
  /** Returns the number of the node that is the primary, or undefined if there is none. */
  findPrimary(): Promise<number | undefined>
  /** Breaks the primary. Resolves with its number when it was told or killed. */
  break(fault: Fault): Promise<number>
  /** Starts what a fault has ended, and waits until all three servers replicate again. */
  repair(): Promise<void>
}

/** The ports of a node: of its PostgreSQL, and of the Patroni that says what it is. */
export interface PatroniNode {
  readonly postgres: number
  readonly patroni: number
}

const size = 3

/** Starts the cluster. Resolves when all servers replicate. */
export async function startPatroni(programs: Programs): Promise<PatroniCluster> {
  const etcd = await startEtcd(programs)
  const ports = await findPorts(2 * size)
  const nodes = Array.from({ length: size }, (_, n) => ({
    folder: programs.makeFolder(`node${n}`),
    postgres: ports[n] ?? NaN,
    patroni: ports[n + size] ?? NaN,
  }))
  type Node = (typeof nodes)[number]
  const file = (n: number, node: Node): string =>
    programs.write(`patroni${n}.yml`, JSON.stringify(settingsOf(`node${n}`, node, etcd)))
  const files = nodes.map((node, n) => file(n, node))
  const start = (n: number): void =>
    programs.start(`patroni${n}`, ['patroni', files[n] ?? ''], { cwd: nodes[n]?.folder ?? '' })
  const lost = new Set<number>()

  async function findPrimary(): Promise<number | undefined> {
    const answers = await Promise.all(nodes.map(({ patroni }) => ask(patroni, '/primary')))
    const found = answers.findIndex((answer) => answer?.status === 200)
    return found === -1 ? undefined : found
  }
  async function isReady(): Promise<boolean> {
    if ((await findPrimary()) === undefined) return false
    const answer = await ask(nodes[0]?.patroni ?? NaN, '/cluster')
    if (answer?.status !== 200) return false
    const { members } = JSON.parse(answer.text) as { readonly members: readonly Member[] }
    const works = members.filter(({ state }) => state === 'running' || state === 'streaming')
    return works.length === size && works.some(({ role }) => role === 'sync_standby')
  }

  nodes.forEach((_node, n) => start(n))
  await waitUntil('the three PostgreSQL servers do not replicate', isReady)
  return {
    nodes,
    findPrimary,
    async createDatabase(name) {
      const { postgres } = nodes[(await findPrimary()) ?? 0] ?? { postgres: NaN }
      const client = new pg.Client(`postgres://postgres@127.0.0.1:${postgres}/postgres`)
      await client.connect()
      await client.query(`create role ${name} login`)
      await client.query(`create database ${name} owner ${name}`)
      await client.end()
    },
    async break(fault) {
      const primary = await findPrimary()
      const node = nodes[primary ?? NaN]
      if (primary === undefined || !node) throw new Error('there is no primary to break')
      if (fault === 'switchover') await switchOver(node.patroni, `node${primary}`)
      if (fault === 'kill') kill(mainProcessOf(node.folder))
      if (fault === 'loss') {
        lost.add(primary)
        await programs.killIn(node.folder)
      }
      return primary
    },
    async repair() {
      for (const n of lost) start(n)
      lost.clear()
      await waitUntil('the three PostgreSQL servers do not replicate again', isReady)
    },
  }
}

interface Member {
  readonly state: string
  readonly role: string
}

/** Starts three processes of etcd. Returns where they answer, as Patroni wants it. */
async function startEtcd(programs: Programs): Promise<string> {
  const ports = await findPorts(2 * size)
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const [clients, peers] = [urls.slice(0, size), urls.slice(size)]
  const all = peers.map((url, n) => `etcd${n}=${url}`).join(',')
  for (const [n, peer] of peers.entries()) {
    const client = clients[n] ?? ''
    const folder = programs.makeFolder(`etcd${n}`)
    const options = {
      name: `etcd${n}`,
      'data-dir': join(folder, 'data'),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': all,
      // Ten times the defaults: a busy machine must not look like a lost one.
      'heartbeat-interval': '1000',
      'election-timeout': '10000',
      'log-level': 'error',
    }
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
    programs.start(`etcd${n}`, ['etcd', '--unsafe-no-fsync', ...args], { cwd: folder })
  }
  return ports
    .slice(0, size)
    .map((port) => `127.0.0.1:${port}`)
    .join(',')
}

/** The configuration of a Patroni. Patroni reads YAML, so it reads JSON too. */
function settingsOf(
  name: string,
  { folder, postgres, patroni }: PatroniNode & { readonly folder: string },
  etcd: string,
): object {
  const rest = `127.0.0.1:${patroni}`
  const server = `127.0.0.1:${postgres}`
  return {
    scope: 'keystile',
    name,
    restapi: { listen: rest, connect_address: rest },
    etcd3: { hosts: etcd },
    bootstrap: {
      dcs: {
        ttl: 20, // Patroni accepts no less: how long a lost primary keeps its place
        loop_wait: 1,
        retry_timeout: 3,
        primary_start_timeout: 0, // promote a standby instead of starting a killed primary
        synchronous_mode: true,
        synchronous_mode_strict: true, // the primary acknowledges nothing without a standby
        postgresql: {
          use_pg_rewind: true,
          use_slots: true,
          parameters: {
            max_connections: 150,
            shared_buffers: '32MB',
            max_wal_size: '128MB',
            wal_keep_size: '128MB',
            wal_log_hints: 'on',
            synchronous_commit: 'on',
          },
        },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }, 'data-checksums'],
    },
    postgresql: {
      listen: server,
      connect_address: server,
      data_dir: join(folder, 'data'),
      bin_dir: postgresFolder(),
      pgpass: join(folder, 'pgpass'),
      // Otherwise a server that was lost during pg_rewind never comes back.
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      authentication: {
        superuser: { username: 'postgres' },
        replication: { username: 'replicator' },
        rewind: { username: 'rewind' },
      },
      parameters: { unix_socket_directories: '', logging_collector: 'off' },
      pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication replicator 127.0.0.1/32 trust'],
    },
  }
}

/** Asks a Patroni. Returns undefined if it does not answer. */
async function ask(
  port: number,
  path: string,
  init: RequestInit = {},
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  const signal = AbortSignal.timeout(init.method ? 60_000 : 5_000)
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal })
    return { status: answer.status, text: await answer.text() }
  } catch {
    return undefined
  }
}

async function switchOver(port: number, leader: string): Promise<void> {
  const body = JSON.stringify({ leader })
  const headers = { 'content-type': 'application/json' }
  const answer = await ask(port, '/switchover', { method: 'POST', body, headers })
  // No answer: the node is slow to step down. The caller sees the new primary.
  if (answer && answer.status !== 200)
    throw new Error(`switchover: ${answer.status} ${answer.text}`)
}

/** Returns the process id of a node's PostgreSQL. */
function mainProcessOf(folder: string): number {
  return Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
}
