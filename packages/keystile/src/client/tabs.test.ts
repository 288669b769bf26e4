// Tests of the things that tabs share, with replacements for the parts of a browser that Node
// lacks. The tests in a real browser are in test/browser/client.test.ts.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test'
import { browserStorage } from './browser-storage.ts'
import { createTabLock } from './tab-lock.ts'
import { createTabMemory } from './tab-memory.ts'
import { memoryStorage, type TokenStorage } from './token-storage.ts'

const replaced = new Map<string, PropertyDescriptor | undefined>()

/** Replaces a global by a value, or by the result of `get`, until the end of the test. */
function replace(
  name: string,
  descriptor: { readonly value: unknown } | { readonly get: () => unknown },
): void {
  if (!replaced.has(name)) replaced.set(name, Object.getOwnPropertyDescriptor(globalThis, name))
  Object.defineProperty(globalThis, name, { ...descriptor, configurable: true })
}
afterEach(() => {
  for (const [name, descriptor] of replaced) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor)
    else Reflect.deleteProperty(globalThis, name)
  }
  replaced.clear()
})

/** Stops the clock, and returns a function that moves the clock forward. */
function stopTime(t: TestContext): (milliseconds: number) => Promise<void> {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 })
  return async (milliseconds) => {
    // First lets pending promises continue.
    for (let i = 0; i < 20; i++) await Promise.resolve()
    now += milliseconds
    t.mock.timers.tick(milliseconds)
    for (let i = 0; i < 20; i++) await Promise.resolve()
  }
}

/** Web Locks with a single name. */
function createLocks(): {
  request(name: string, action: () => Promise<unknown>): Promise<unknown>
  names: string[]
} {
  let last: Promise<unknown> = Promise.resolve()
  const names: string[] = []
  return {
    names,
    request(name, action) {
      names.push(name)
      const next = last.then(action)
      last = next.catch(() => {})
      return next
    },
  }
}

/**
 * The part of IndexedDB that holds leases. Its transactions run one after the other. With
 * `failure`, it aborts each transaction with this error.
 */
function createIndexedDB(failure?: Error): {
  open(name: string): EventTarget
  /** The databases that are open. */
  opened: string[]
} {
  const stores = new Map<string, Map<string, unknown>>()
  const opened: string[] = []
  const happen = (type: string, target: EventTarget): void =>
    void target.dispatchEvent(new Event(type))
  let last = Promise.resolve()

  const database = {
    createObjectStore: (name: string) => void stores.set(name, new Map()),
    transaction(name: string, mode: string) {
      const transaction = new EventTarget()
      const storeOf = (name: string): object => ({
        get(key: string) {
          const reading: EventTarget & { result?: unknown } = new EventTarget()
          last = last.then(() => {
            reading.result = stores.get(name)!.get(key)
            if (!failure) happen('success', reading)
            happen(failure ? 'abort' : 'complete', transaction)
          })
          return reading
        },
        put: (value: unknown, key: string) => void stores.get(name)!.set(key, value),
      })
      assert.deepEqual([stores.has(name), mode], [true, 'readwrite'])
      return Object.assign(transaction, { objectStore: storeOf, error: failure })
    },
    close: () => void opened.pop(),
  }

  return {
    opened,
    open(name) {
      const opening = Object.assign(new EventTarget(), { result: database })
      queueMicrotask(() => {
        if (stores.size === 0) happen('upgradeneeded', opening)
        opened.push(name)
        happen('success', opening)
      })
      return opening
    },
  }
}

describe('createTabLock', () => {
  let locks: ReturnType<typeof createLocks>
  beforeEach(() => {
    locks = createLocks()
    replace('navigator', { value: { locks } })
  })

  it('createTabLock uses Web Locks and returns the result of the action', async () => {
    assert.equal(await createTabLock().exclusive('a', async () => 7), 7)
    assert.deepEqual(locks.names, ['a'])
  })

  it('createTabLock throws the error of an action, and then runs the next action', async () => {
    const lock = createTabLock()
    await assert.rejects(
      lock.exclusive('a', () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    )
    assert.equal(await lock.exclusive('a', async () => 7), 7)
  })

  it('createTabLock throws if the browser refuses the lock', async () => {
    locks.request = () => Promise.reject(new Error('this document may not'))
    await assert.rejects(
      createTabLock().exclusive('a', async () => 7),
      /this document may not/,
    )
  })

  it('after a write, createTabLock returns at once, but holds its lock for 250 ms', async (t) => {
    const pass = stopTime(t)
    const [one, other] = [createTabLock(), createTabLock()]
    await one.exclusive('a', async () => one.wrote())
    let isIn = false
    const next = other.exclusive('a', async () => (isIn = true))
    await pass(249)
    assert.equal(isIn, false)
    await pass(1)
    assert.equal(await next, true)
    await pass(1)
    // The earlier write has arrived by now, so it delays no tab.
    await one.exclusive('a', async () => {})
    isIn = false
    void other.exclusive('a', async () => (isIn = true))
    await pass(1)
    assert.equal(isIn, true)
  })

  it('without Web Locks, createTabLock uses IndexedDB and then closes the database', async (t) => {
    const pass = stopTime(t)
    replace('navigator', { value: {} })
    const indexedDB = createIndexedDB()
    replace('indexedDB', { value: indexedDB })
    const [one, other] = [createTabLock(), createTabLock()]
    const ended = Promise.withResolvers<number>()
    const first = one.exclusive('a', () => {
      one.wrote()
      return ended.promise
    })
    await pass(0)
    let isIn = false
    const next = other.exclusive('a', async () => (isIn = true))
    await pass(1_000)
    assert.equal(isIn, false)
    assert.deepEqual(indexedDB.opened, ['keystile', 'keystile'])
    one.wrote()
    ended.resolve(7)
    await pass(0)
    assert.equal(await first, 7)
    // A write needs 250 ms to reach other tabs.
    for (let waited = 0; waited < 225; waited += 25) await pass(25)
    assert.equal(isIn, false)
    for (let waited = 0; waited < 100; waited += 25) await pass(25)
    assert.equal(await next, true)
    await pass(0)
    assert.deepEqual(indexedDB.opened, [])
  })

  it('createTabLock throws the error of an aborted transaction and closes IndexedDB', async () => {
    replace('navigator', { value: {} })
    const indexedDB = createIndexedDB(new Error('the disk is full'))
    replace('indexedDB', { value: indexedDB })
    await assert.rejects(
      createTabLock().exclusive('a', async () => 7),
      /^Error: the disk is full$/,
    )
    assert.deepEqual(indexedDB.opened, [])
  })

  it('without Web Locks and IndexedDB, createTabLock uses no lock', async () => {
    replace('navigator', { value: {} })
    replace('indexedDB', { value: undefined })
    assert.equal(await createTabLock().exclusive('a', async () => 7), 7)
    replace('navigator', { value: undefined })
    const opening = new EventTarget()
    replace('indexedDB', { value: { open: () => opening } })
    const seven = createTabLock().exclusive('a', async () => 7)
    opening.dispatchEvent(new Event('error'))
    assert.equal(await seven, 7)
    replace('indexedDB', {
      value: {
        open() {
          throw new Error('not here')
        },
      },
    })
    assert.equal(await createTabLock().exclusive('a', async () => 7), 7)
  })
})

describe('browserStorage', () => {
  let local: Map<string, string>
  let listeners: Set<(event: { key: string | null }) => void>
  beforeEach(() => {
    local = new Map()
    listeners = new Set()
    replace('navigator', { value: { locks: createLocks() } })
    replace('localStorage', {
      value: {
        getItem: (key: string) => local.get(key) ?? null,
        setItem: (key: string, text: string) => void local.set(key, text),
        removeItem: (key: string) => void local.delete(key),
      },
    })
    replace('addEventListener', {
      value: (type: string, listener: () => void) => type === 'storage' && listeners.add(listener),
    })
    replace('removeEventListener', {
      value: (type: string, listener: () => void) =>
        type === 'storage' && listeners.delete(listener),
    })
  })

  it('browserStorage reads, writes and removes entries of localStorage', async () => {
    const storage = browserStorage()
    assert.equal(storage.read('a'), undefined)
    await storage.write('a', 'text')
    assert.equal(storage.read('a'), 'text')
    assert.deepEqual([...local], [['a', 'text']])
    await storage.write('a', undefined)
    assert.equal(local.size, 0)
  })

  it('browserStorage calls its listener if another tab writes the key or calls clear()', () => {
    let heard = 0
    const stop = browserStorage().listen!('a', () => heard++)
    const tell = (key: string | null): void => listeners.forEach((listener) => listener({ key }))
    tell('b')
    assert.equal(heard, 0)
    tell('a')
    tell(null)
    assert.equal(heard, 2)
    stop()
    tell('a')
    assert.equal(heard, 2)
  })

  it('browserStorage holds its lock for 250 ms after a write', async (t) => {
    const pass = stopTime(t)
    const [one, other] = [browserStorage(), browserStorage()]
    await one.exclusive!('a', async () => one.write('a', 'text'))
    let isIn = false
    const next = other.exclusive!('a', async () => (isIn = true))
    await pass(249)
    assert.equal(isIn, false)
    await pass(1)
    assert.equal(await next, true)
  })

  it('browserStorage throws if localStorage is missing or blocked', () => {
    const expected = {
      name: 'TypeError',
      message: /^localStorage is missing or blocked here\. Fix: use memoryStorage\(\)/,
    }
    replace('localStorage', { value: undefined })
    assert.throws(browserStorage, expected)
    replace('localStorage', {
      get() {
        throw new Error('SecurityError')
      },
    })
    assert.throws(browserStorage, expected)
  })

  it('listen() of browserStorage throws no error if addEventListener is missing', () => {
    replace('addEventListener', { value: undefined })
    replace('removeEventListener', { value: undefined })
    browserStorage().listen!('a', () => {})()
  })
})

describe('createTabMemory', () => {
  const stops: (() => void)[] = []
  afterEach(() => {
    for (const stop of stops.splice(0)) stop()
  })
  /** A tab, and the events that it gets. */
  function open(): { readonly memory: TokenStorage; next(): Promise<unknown>; stop(): void } {
    const memory = createTabMemory('initial')
    let heard = Promise.withResolvers<void>()
    const stop = memory.listen!('a channel', () => {
      heard.resolve()
      heard = Promise.withResolvers()
    })
    stops.push(stop)
    // The interval keeps the process running. The channel does not.
    const next = async (): Promise<void> => {
      const alive = setInterval(() => {}, 1_000)
      await heard.promise
      clearInterval(alive)
    }
    return { memory, next, stop }
  }

  it('createTabMemory keeps a string, and sends each new string to the other tabs', async () => {
    const [one, other] = [open(), open()]
    assert.equal(other.memory.read('a channel'), 'initial')
    let next = other.next()
    await one.memory.write('a channel', 'text')
    assert.equal(one.memory.read('a channel'), 'text')
    await next
    assert.equal(other.memory.read('a channel'), 'text')
    next = other.next()
    await one.memory.write('a channel', undefined)
    await next
    assert.equal(other.memory.read('a channel'), undefined)
  })

  it('createTabMemory forgets its string on receiving anything but a string', async () => {
    const { memory, next } = open()
    const other = new BroadcastChannel('a channel')
    const heard = next()
    other.postMessage({ text: 'of a later version' })
    await heard
    other.close()
    assert.equal(memory.read('a channel'), undefined)
  })

  it('createTabMemory calls unref() on its BroadcastChannel if this method exists', (t) => {
    const unref = t.mock.method(BroadcastChannel.prototype, 'unref')
    open()
    assert.equal(unref.mock.callCount(), 1)
    replace('BroadcastChannel', {
      value: class extends EventTarget {
        close(): void {}
      },
    })
    open()
  })

  it('after stop(), createTabMemory receives nothing, and write() throws no error', async () => {
    const [one, other, third] = [open(), open(), open()]
    other.stop()
    const next = third.next()
    await one.memory.write('a channel', 'text')
    await next
    assert.equal(other.memory.read('a channel'), 'initial')
    assert.doesNotThrow(() => other.memory.write('a channel', 'own'))
  })

  it('createTabMemory holds its lock for 250 ms after a write', async (t) => {
    const pass = stopTime(t)
    replace('navigator', { value: { locks: createLocks() } })
    const [one, other] = [open().memory, open().memory]
    await one.exclusive!('a', async () => one.write('a', 'text'))
    let isIn = false
    const next = other.exclusive!('a', async () => (isIn = true))
    await pass(249)
    assert.equal(isIn, false)
    await pass(1)
    assert.equal(await next, true)
  })
})

describe('memoryStorage', () => {
  it('memoryStorage keeps a separate text for each key', async () => {
    const storage = memoryStorage()
    await storage.write('a', 'one')
    await storage.write('b', 'two')
    await storage.write('a', undefined)
    assert.deepEqual([storage.read('a'), storage.read('b')], [undefined, 'two'])
  })
})
