// A NestJS API that only checks tokens of another service. It needs neither a database nor
// @keystile/server.
import 'reflect-metadata'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createVerifier } from 'keystile'
import { Caller, Guard, KeystileModule } from 'keystile/nest'
import type { CallerOf } from 'keystile/nest'

const auth = {
  verifier: createVerifier({
    issuer: process.env['ISSUER'] ?? 'http://localhost:8000',
    audience: process.env['AUDIENCE'] ?? 'https://orders.example',
    revocations: 'none',
  }),
  scopes: { 'orders:read': 'Read orders' },
}
type Me = CallerOf<typeof auth>

@Controller('orders')
class OrdersController {
  @Get()
  @Guard('orders:read')
  list(@Caller() { identity }: Me): { of: string } {
    return { of: identity.subject }
  }
}

@Module({ imports: [KeystileModule.forRoot(auth)], controllers: [OrdersController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
const port = Number(process.env['PORT'] ?? 3000)
await app.listen(port, 'localhost')
console.log(`listening on http://localhost:${port}`)
