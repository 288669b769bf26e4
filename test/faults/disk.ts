// A simulated disk for a process: slow, broken or full. It also knows what would be on the disk
// after a power failure at any moment, because it records each write and each sync.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const pageBytes = 4096

/** Why there is no simulated disk, or undefined. */
export const noDisk = findReason()

function findReason(): string | undefined {
  const reason =
    process.platform === 'linux'
      ? spawnSync('cc', ['--version']).error && 'there is no C compiler, cc'
      : 'LD_PRELOAD works only on Linux'
  if (reason !== undefined && process.env['CI'] === 'true')
    throw new Error(`${reason}, and CI=true`)
  return reason
}

/** What the disk does: see disk.c. */
export type DiskState = 'works' | 'fail' | 'full' | `slow ${number}`

export interface SimulatedDisk {
  /** The folder on the simulated disk. */
  readonly folder: string
  /** The library that simulates the disk, for LD_PRELOAD. */
  readonly library: string
  /** The environment of a process whose files in the folder are on the disk, with LD_PRELOAD. */
  readonly env: Readonly<Record<string, string>>
  set(state: DiskState): void
  /** The number of recorded bytes. With it, `replay` can return to this moment. */
  readonly recorded: number
  /** The file with the records. */
  readonly log: string
  /** Returns what the disk has stored, from the first record on. */
  replay(): Replay
}

/** Compiles the library, and creates a disk whose files are in a new folder in `parent`. */
export function createDisk(parent: string): SimulatedDisk {
  const library = join(parent, 'disk.so')
  const source = join(import.meta.dirname, 'disk.c')
  const options = ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', library, source, '-ldl']
  const { status, stderr } = spawnSync('cc', options, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`disk.c must compile: ${stderr}`)

  const [folder, control, log] = [
    join(parent, 'disk'),
    join(parent, 'control'),
    join(parent, 'log'),
  ]
  mkdirSync(folder)
  for (const file of [control, log]) writeFileSync(file, '')
  // A server may run as another user.
  chmodSync(parent, 0o755)
  chmodSync(folder, 0o777)
  for (const file of [control, log]) chmodSync(file, 0o666)
  return {
    folder,
    library,
    log,
    env: { LD_PRELOAD: library, DISK_FOLDER: folder, DISK_CONTROL: control, DISK_LOG: log },
    set: (state) => writeFileSync(control, state),
    get recorded() {
      return statSync(log).size
    },
    replay: () => createReplay(log),
  }
}

/** A file as the process sees it, and as it is stored. */
interface ReplayedFile {
  seen: Buffer<ArrayBuffer>
  stored: Buffer<ArrayBuffer>
  /** The pages that were written since the last sync. */
  readonly unsynced: Set<number>
}

/** The stored files, at one moment after the other. */
export interface Replay {
  /** Continues to the moment at which the disk had recorded this number of bytes. */
  continueTo(recorded: number): void
  /**
   * Writes the stored files into a new folder, as a power failure would leave them. Pages that are
   * not synced are stored if `isStored` returns true: the operating system may store them early.
   */
  writeTo(folder: string, isStored?: () => boolean): void
  /** How many syncs have succeeded so far. */
  readonly syncs: number
  readonly failedSyncs: number
}

/**
 * After a failed sync, Linux takes the pages for stored, although they are not. A later sync does
 * not store them either, unless they have been written again. The replay does the same.
 */
function createReplay(log: string): Replay {
  const files = new Map<string, ReplayedFile>()
  let position = 0
  const counts = { syncs: 0, failedSyncs: 0 }

  const fileOf = (name: string): ReplayedFile => {
    const known = files.get(name)
    if (known) return known
    const file = { seen: Buffer.alloc(0), stored: Buffer.alloc(0), unsynced: new Set<number>() }
    files.set(name, file)
    return file
  }

  function apply(kind: string, name: string, [first = 0, bytes = Buffer.alloc(0)]: Argument): void {
    const file = fileOf(name)
    if (kind === 'W') {
      file.seen = withLength(file.seen, Math.max(file.seen.length, first + bytes.length))
      bytes.copy(file.seen, first)
      for (let page = pageAt(first); page * pageBytes < first + bytes.length; page++)
        file.unsynced.add(page)
    } else if (kind === 'T') {
      file.seen = withLength(file.seen, first)
      file.stored = withLength(file.stored, Math.min(first, file.stored.length))
    } else if (kind === 'U') files.delete(name)
    else if (kind === 'S') {
      counts.syncs++
      file.stored = withPages(file, () => true)
      file.unsynced.clear()
    } else if (kind === 'F') {
      counts.failedSyncs++
      file.unsynced.clear()
    }
  }

  return {
    continueTo(recorded) {
      for (const record of readRecords(log, position, recorded)) apply(...record)
      position = recorded
    },
    writeTo(folder, isStored = () => false) {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder)
      for (const [name, file] of files)
        if (!name.includes('/') && !name.endsWith('-shm'))
          writeFileSync(join(folder, name), withPages(file, isStored))
    },
    get syncs() {
      return counts.syncs
    },
    get failedSyncs() {
      return counts.failedSyncs
    },
  }
}

type Argument = readonly [number?: number, bytes?: Buffer]

const pageAt = (offset: number): number => Math.floor(offset / pageBytes)

function withLength(bytes: Buffer<ArrayBuffer>, length: number): Buffer<ArrayBuffer> {
  if (bytes.length >= length) return bytes.subarray(0, length)
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)])
}

/** Returns the stored bytes of a file together with some of the pages that are not synced. */
function withPages(file: ReplayedFile, isStored: () => boolean): Buffer<ArrayBuffer> {
  let stored = Buffer.from(file.stored)
  for (const page of file.unsynced) {
    if (!isStored()) continue
    const bytes = file.seen.subarray(page * pageBytes, (page + 1) * pageBytes)
    stored = withLength(stored, Math.max(stored.length, page * pageBytes + bytes.length))
    bytes.copy(stored, page * pageBytes)
  }
  return stored
}

/** Reads the records from one position of the log to another. */
export function* readRecords(
  log: string,
  from: number,
  to: number,
): Generator<[kind: string, name: string, argument: Argument]> {
  const bytes = Buffer.alloc(to - from)
  const file = openSync(log, 'r')
  readSync(file, bytes, 0, bytes.length, from)
  closeSync(file)
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\n', at)
    const [kind = '', name = '', first = '0', length = '0'] = bytes
      .toString('latin1', at, end)
      .split(' ')
    at = end + 1
    const written = kind === 'W' ? Number(length) : 0
    yield [kind, name, [Number(first), bytes.subarray(at, at + written)]]
    at += written
  }
}

/** Opens a database that a power failure has left, and returns the result of `work`. */
export function openStored<Result>(
  folder: string,
  name: string,
  work: (sqlite: DatabaseSync) => Result,
): Result {
  const sqlite = new DatabaseSync(join(folder, name))
  try {
    return work(sqlite)
  } finally {
    sqlite.close()
  }
}
