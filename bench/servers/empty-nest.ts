// A route with a guard of Nest that guards nothing: no guard in Nest can cost less.
import { UseGuards } from '@nestjs/common'
import { serveNest } from './nest-routes.ts'

await serveNest(UseGuards({ canActivate: () => true }))
