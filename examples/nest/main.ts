// A NestJS app with accounts, login and guarded routes, and a document that is derived from its
// guards.
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { mount } from 'keystile/express'
import { keystile, port } from './auth.ts'
import { secured } from './guarded.ts'
import { ItemsModule } from './items.ts'

const app = await NestFactory.create<NestExpressApplication>(ItemsModule, { logger: ['error'] })
app.use(mount(keystile))
const document = SwaggerModule.createDocument(app, new DocumentBuilder().setTitle('Items').build())
SwaggerModule.setup('docs', app, secured(document, app))

await app.listen(port, 'localhost')
console.log(`listening on http://localhost:${port}`)
