// How long events wait in the database.

const dayMilliseconds = 24 * 60 * 60 * 1000

/** An event that was not handled for this long is a dead letter. */
export const deliveryMilliseconds: number = 7 * dayMilliseconds
/** Whether an event that was made at an instant should have been handled by now. */
export function isOverdue(createdAt: number, now: number): boolean {
  return createdAt < now - deliveryMilliseconds
}

/** Events are erased so long after their change, handled or not. */
export const eventLifetimeMilliseconds: number = 30 * dayMilliseconds
/**
 * Events are stored for so long after the last process with a durable handler has run. An app that
 * gives up its handler must not fill the database.
 */
export const handlerMilliseconds: number = 7 * dayMilliseconds
