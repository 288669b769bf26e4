// The lifetimes of events in the database.

const dayMilliseconds = 24 * 60 * 60 * 1000

/** The age at which an event that was not handled becomes a dead letter. */
export const deliveryMilliseconds: number = 7 * dayMilliseconds
/** Whether an unhandled event that was created at this time is a dead letter by now. */
export function isOverdue(createdAt: number, now: number): boolean {
  return createdAt < now - deliveryMilliseconds
}

/** The age at which an event is deleted, even if it was not handled. */
export const eventLifetimeMilliseconds: number = 30 * dayMilliseconds
/**
 * How long events are stored after the last process with a durable handler has stopped. An app that
 * removes its handler must not fill the database.
 */
export const handlerMilliseconds: number = 7 * dayMilliseconds
