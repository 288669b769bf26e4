// express-jwt in Express 5, as its documentation has it. It cannot demand a type.
import type { RequestHandler } from 'express'
import { variable } from '../servers/environment.ts'
import { serveExpress } from '../servers/express-routes.ts'
import { audience, issuer } from '../tokens.ts'

/**
 * As much of it as is used: it is installed only where it is measured, so its own types may be
 * absent.
 */
interface ExpressJwtModule {
  expressjwt(options: object): RequestHandler
}

const name = 'express-jwt'
const { expressjwt } = (await import(name)) as ExpressJwtModule

serveExpress(expressjwt({ secret: variable('SECRET'), algorithms: ['HS256'], issuer, audience }))
