import { Body, Controller, Delete, Get, HttpCode, Module, Post } from '@nestjs/common'
import { ApiProperty } from '@nestjs/swagger'
import { guard } from './auth.ts'
import { Caller, Guarded, GuardedBy, type CallerOf } from './guarded.ts'

class Item {
  @ApiProperty() name!: string
}

@Controller('items')
@Guarded('items:read')
class ItemsController {
  @Get()
  list(@Caller() { user }: CallerOf): { owner: string } {
    return { owner: user.username }
  }

  @Post()
  @Guarded('items:write')
  create(@Body() item: Item): { created: string } {
    return { created: item.name }
  }

  @Delete()
  @HttpCode(204)
  @Guarded({ scopes: ['items:write'], maxAgeSeconds: 300 })
  clear(): void {}
}

@Controller('news')
class NewsController {
  @Get()
  @GuardedBy(guard.optional())
  list(): readonly string[] {
    return ['Chairs are in']
  }

  @Get('open')
  open(): readonly string[] {
    return ['Open to all']
  }
}

@Module({ controllers: [ItemsController, NewsController] })
export class ItemsModule {}
