import { isOnThisMachine } from '../../../base/this-machine.ts'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { onOrOff } from '../../../feature/values.ts'

export interface DocsOptions {
  /**
   * Whether Keystile describes its own endpoints: in Swagger UI at `/docs` and as an OpenAPI
   * document at `/openapi.json`, both below the issuer. Everyone who can reach the app can read
   * them. Default: `off`.
   */
  readonly docs?: 'on' | 'off'
}

const docs: DefaultedSetting<'docs', 'on' | 'off'> = {
  name: 'docs',
  takenBy: 'both',
  schema: onOrOff,
  default: 'off',
  // Without an issuer, the server's own default is a URL of this machine.
  standAloneDefault: ({ issuer }) =>
    issuer === undefined || (typeof issuer === 'string' && isOnThisMachine(issuer)) ? 'on' : 'off',
  defaultText: 'on if the stand-alone server has an issuer on this machine, otherwise off',
  help: 'on or off: whether ISSUER/docs and ISSUER/openapi.json describe the endpoints',
  environment: ['KEYSTILE_DOCS'],
}

export const feature: Feature<DocsOptions> = {
  name: 'docs',
  settings: listSettings<DocsOptions>({ docs }),
}
