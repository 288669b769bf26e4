// A NestJS app on Express with accounts, login, guarded routes and messages of WebSockets, and a
// document that follows from its decorators.
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { WsAdapter } from '@nestjs/platform-ws'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { mount } from 'keystile/express'
import { secureDocument } from 'keystile/nest'
import { keystile, port } from './auth.ts'
import { AppModule } from './items.ts'

const app = await NestFactory.create<NestExpressApplication>(AppModule)
app.use(mount(keystile))
app.useWebSocketAdapter(new WsAdapter(app))

const config = new DocumentBuilder().setTitle('Items').build()
const document = secureDocument(app, () => SwaggerModule.createDocument(app, config))
SwaggerModule.setup('docs', app, document)

await app.listen(port, 'localhost')
console.log(`listening on http://localhost:${port}`)
