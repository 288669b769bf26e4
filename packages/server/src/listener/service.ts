import type { HttpAnswer, HttpRequestWithBody, JsonObject } from 'keystile/internal'
import type { Reading } from '../feature/metric.ts'

/** A running Keystile, as the stand-alone server serves it. */
export interface Service {
  readonly keystile: {
    answer(request: HttpRequestWithBody): Promise<HttpAnswer | undefined>
    close(): Promise<void>
  }
  /** The OpenAPI document of its endpoints. */
  readonly document: JsonObject
  /** Why a load balancer should send no requests now, a sentence each; empty when it is ready. */
  findUnreadiness(): Promise<readonly string[]>
  /** What the gauges of its features say now. */
  readGauges(): readonly Reading[]
  /**
   * The pattern of the route that a request is for; `undefined` for a path that is not one of its
   * own.
   */
  routeOf(request: HttpRequestWithBody): string | undefined
}
