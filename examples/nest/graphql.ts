// A NestJS app on Fastify, with GraphQL and guarded fields.
import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  Field,
  GraphQLModule,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql'
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { mount } from 'keystile/fastify'
import { Caller, Guard, KeystileModule, Public } from 'keystile/nest'
import { keystile, port } from './auth.ts'
import type { Me } from './auth.ts'

@ObjectType()
class Item {
  @Field(() => String) name!: string
}

@Resolver(() => Item)
class ItemsResolver {
  @Query(() => String)
  me(@Caller() { user }: Me): string {
    return user.username
  }

  @Query(() => [Item])
  @Guard('items:read')
  items(): readonly Item[] {
    return [{ name: 'lamp' }]
  }

  @Mutation(() => Boolean)
  @Guard('items:write')
  clear(): boolean {
    return true
  }

  @Query(() => [String])
  @Public()
  news(): readonly string[] {
    return ['Chairs are in']
  }

  @ResolveField(() => Number)
  @Guard('items:write')
  cost(): number {
    return 7
  }
}

@Module({
  imports: [
    KeystileModule.forRoot(keystile),
    GraphQLModule.forRoot<MercuriusDriverConfig>({
      driver: MercuriusDriver,
      autoSchemaFile: true,
      fieldResolverEnhancers: ['guards'], // without it, Nest guards no fields
    }),
  ],
  providers: [ItemsResolver],
})
class AppModule {}

const adapter = new FastifyAdapter()
const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter)
await app.register(mount(keystile))

await app.listen(port, 'localhost')
console.log(`listening on http://localhost:${port}`)
