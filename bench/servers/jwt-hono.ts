// Hono's own JWT middleware.
import { jwt } from 'hono/jwt'
import { audience, issuer } from '../tokens.ts'
import { variable } from './environment.ts'
import { serveHono } from './hono-routes.ts'

const verification = { iss: issuer, aud: audience, typ: 'at+jwt' }

serveHono(jwt({ secret: variable('SECRET'), alg: 'HS256', verification }))
