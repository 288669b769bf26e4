import type { AnswerBody, HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import type { Reading } from '../feature/metric.ts'
import type { PageSettings } from '../features/pages/brand/page-settings.ts'
import type { StartOptions } from '../features/pages/start-page/start-options.ts'

/** What the stand-alone server serves: `server/wire/wire.ts` makes it. */
export interface Service {
  readonly keystile: {
    answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody> | undefined>
    close(): Promise<void>
  }
  /** What the start page shows of the settings. */
  readonly options: StartOptions
  readonly pages: PageSettings
  /** Whether an active account has the role `admin`. */
  hasAdministrator(): Promise<boolean>
  /**
   * Returns the reasons why a load balancer should send no requests now, one sentence for each
   * reason. If the service is ready, the list is empty.
   */
  findUnreadiness(): Promise<readonly string[]>
  readGauges(): readonly Reading[]
  /** Returns the pattern of a request's route, or `undefined` for an unknown path. */
  routeOf(request: HttpRequestWithBody): string | undefined
}
