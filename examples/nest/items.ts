import { Body, Controller, Delete, Get, HttpCode, Module, Post } from '@nestjs/common'
import { ApiProperty } from '@nestjs/swagger'
import { Caller, Guard, KeystileModule, OptionalCaller, OptionalGuard, Public } from 'keystile/nest'
import { keystile } from './auth.ts'
import type { Me } from './auth.ts'
import { NewsGateway } from './news-gateway.ts'

class Item {
  @ApiProperty() name!: string
}

@Controller('items')
@Guard('items:read')
class ItemsController {
  @Get()
  list(@Caller() { user }: Me): { owner: string } {
    return { owner: user.username }
  }

  @Post()
  @Guard('items:write')
  create(@Body() item: Item): { created: string } {
    return { created: item.name }
  }

  @Delete()
  @HttpCode(204)
  @Guard({ scopes: ['items:write'], maxAgeSeconds: 300 })
  clear(): void {}
}

@Controller('news')
class NewsController {
  @Get()
  @Public()
  @OptionalGuard()
  list(@OptionalCaller() caller: Me | undefined): readonly string[] {
    return [`Chairs are in, ${caller?.user.username ?? 'stranger'}`]
  }

  @Get('open')
  @Public()
  open(): readonly string[] {
    return ['Open to all']
  }

  @Get('members')
  members(): readonly string[] {
    return ['For every caller with a token']
  }
}

@Module({
  imports: [KeystileModule.forRoot(keystile)],
  controllers: [ItemsController, NewsController],
  providers: [NewsGateway],
})
export class AppModule {}
