import { describeMount } from './mounted.ts'
import { makeNestApp, nestExpressMounts, nestFastifyMounts } from './nest-app.ts'
import { describeGuards } from './suite.ts'

for (const platform of ['Express', 'Fastify'] as const)
  describeGuards(`Nest on ${platform}`, makeNestApp(platform), {
    route: '/items/new',
    inRouter: '/area/read',
  })
describeMount('Nest on Express', nestExpressMounts)
describeMount('Nest on Fastify', nestFastifyMounts)
