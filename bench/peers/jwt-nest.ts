// @nestjs/passport with passport-jwt in Nest on Fastify, as in Nest's documentation.
import { Injectable, UseGuards, type CanActivate } from '@nestjs/common'
import { variable } from '../servers/environment.ts'
import { serveNest } from '../servers/nest-routes.ts'
import { audience, issuer } from '../tokens.ts'

/**
 * The parts of the packages that are used. They are installed only for measurements, so their own
 * types may be absent.
 */
type Class = new (options: object) => object
interface NestPassport {
  AuthGuard(strategy: string): new () => CanActivate
  PassportStrategy(strategy: unknown): Class
}
interface PassportJwt {
  readonly default: {
    readonly Strategy: unknown
    readonly ExtractJwt: { fromAuthHeaderAsBearerToken(): unknown }
  }
}

const names = { nest: '@nestjs/passport', jwt: 'passport-jwt' }
const { AuthGuard, PassportStrategy } = (await import(names.nest)) as NestPassport
const { Strategy, ExtractJwt } = ((await import(names.jwt)) as PassportJwt).default

class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: variable('SECRET'),
      issuer,
      audience,
      algorithms: ['HS256'],
    })
  }
  validate(payload: object): object {
    return payload
  }
}
Injectable()(JwtStrategy)
class PassportModule {
  readonly name = 'passport'
}

await serveNest(UseGuards(AuthGuard('jwt')), { module: PassportModule, providers: [JwtStrategy] })
