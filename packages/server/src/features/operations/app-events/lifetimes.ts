// How long rows of durable events, and of the app's handler, stay in the database.

const dayMilliseconds = 24 * 60 * 60 * 1000

/** The age in days at which an event that was not handled becomes a dead letter. */
export const deliveryDays = 7
export const deliveryMilliseconds: number = deliveryDays * dayMilliseconds

/** Whether an event that was created at `createdAt` and is still not handled is a dead letter. */
export function isOverdue(createdAt: number, now: number): boolean {
  return createdAt < now - deliveryMilliseconds
}

/**
 * The age at which an event is deleted, even if it was not handled. After it has become a dead
 * letter, an operator has more than three weeks to correct the handler and retry.
 */
export const eventLifetimeMilliseconds: number = 30 * dayMilliseconds

/**
 * How long processes still store new events after the last process with a durable handler has
 * stopped. Without this limit, an app that removes its handler would fill the database.
 */
export const handlerLifetimeMilliseconds: number = 7 * dayMilliseconds
