// No guard, but a function before a handler: the floor under every guard there.
import { serveNode } from './node-routes.ts'

serveNode((_request, _response, next) => next())
