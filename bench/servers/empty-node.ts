// A handler behind a function that guards nothing: no guard in node:http can cost less.
import { serveNode } from './node-routes.ts'

serveNode((_request, _response, next) => next())
