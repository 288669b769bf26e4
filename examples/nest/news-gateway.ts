import type { IncomingMessage } from 'node:http'
import { SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets'
import { Caller, Guard } from 'keystile/nest'
import type { Me } from './auth.ts'

@WebSocketGateway()
export class NewsGateway implements OnGatewayConnection {
  /** The guard reads the token from `client.request`. `ws` does not set `client.request`. */
  handleConnection(client: object, request: IncomingMessage): void {
    Object.assign(client, { request })
  }

  @SubscribeMessage('news')
  @Guard('items:read')
  news(@Caller() { user }: Me): object {
    return { event: 'news', data: `Chairs are in, ${user.username}` }
  }
}
