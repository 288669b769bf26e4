import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createByteCollector } from './byte-collector.ts'

describe('createByteCollector', () => {
  it('createByteCollector joins the pieces in the order of their arrival', () => {
    for (const count of [0, 1, 63, 64, 65, 1_000]) {
      const collector = createByteCollector()
      const pieces = Array.from({ length: count }, (_, i) => Buffer.from([i & 255, (i >> 8) & 255]))
      for (const piece of pieces) collector.add(piece)
      assert.equal(collector.size, count < 2 ? 2 * count : 16 * (count - 1))
      assert.deepEqual(collector.bytes(), Buffer.concat(pieces))
    }
  })

  it('createByteCollector reports the total size of large pieces exactly', () => {
    const collector = createByteCollector()
    for (const length of [16, 17, 1_000]) collector.add(new Uint8Array(length))
    assert.equal(collector.size, 1_033)
  })

  it('createByteCollector does not keep the buffers of tiny pieces in memory', async () => {
    const pieces: WeakRef<Uint8Array>[] = []
    const collector = createByteCollector()
    for (let i = 0; i < 10_000; i++) {
      const piece = new Uint8Array(1)
      pieces.push(new WeakRef(piece))
      collector.add(piece)
    }
    // A WeakRef keeps its target alive until the running JavaScript task ends.
    await new Promise((resolve) => setImmediate(resolve))
    setFlagsFromString('--expose-gc')
    ;(runInNewContext('gc') as () => void)()
    const kept = pieces.filter((piece) => piece.deref()).length

    assert.ok(kept < 200)
    // If each piece were joined on arrival, the time would grow with the square of their number.
    assert.ok(kept >= 45, 'the last 45 pieces are not joined yet')
    assert.equal(collector.bytes().length, 10_000)
  })
})
