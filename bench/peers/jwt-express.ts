// express-jwt in Express 5, as in its documentation. express-jwt cannot demand a type of token.
import type { RequestHandler } from 'express'
import { variable } from '../servers/environment.ts'
import { serveExpress } from '../servers/express-routes.ts'
import { audience, issuer } from '../tokens.ts'

/**
 * The part of express-jwt that is used. The package is installed only for measurements, so its own
 * types may be absent.
 */
interface ExpressJwtModule {
  expressjwt(options: object): RequestHandler
}

const name = 'express-jwt'
const { expressjwt } = (await import(name)) as ExpressJwtModule

serveExpress(expressjwt({ secret: variable('SECRET'), algorithms: ['HS256'], issuer, audience }))
