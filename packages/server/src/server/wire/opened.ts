interface Closable {
  close(): void | Promise<void>
}

/** The parts that are open, so that they can be closed even if a later part cannot be created. */
export interface Opened {
  /** Returns the part. */
  add<Part extends Closable>(part: Part): Part
  /** Closes the parts one after another, from the last to the first. */
  close(): Promise<void>
}

export function createOpened(): Opened {
  const parts: Closable[] = []
  let closing: Promise<void> | undefined

  async function closeAll(): Promise<void> {
    for (const part of parts.toReversed()) await part.close()
  }

  return {
    add(part) {
      parts.push(part)
      return part
    },
    close: () => (closing ??= closeAll()),
  }
}
