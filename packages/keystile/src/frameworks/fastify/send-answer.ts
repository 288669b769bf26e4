import type { ServerResponse } from 'node:http'
import type { AnswerBody, HttpAnswer } from '../../http/message.ts'
import { nodeHeaders, writeAnswer } from '../node/node-answer.ts'

/**
 * The members of a Fastify reply that `sendAnswer` uses. This file does not import Fastify's types,
 * because a Nest app may not have Fastify installed.
 */
export interface FastifyReplyLike {
  code(status: number): FastifyReplyLike
  headers(values: ReturnType<typeof nodeHeaders>): FastifyReplyLike
  send(body: unknown): FastifyReplyLike
  hijack(): FastifyReplyLike
  readonly raw: ServerResponse
}

export function sendAnswer<R extends FastifyReplyLike>(
  reply: R,
  answer: HttpAnswer<AnswerBody>,
): R {
  const { status, body, stream } = answer
  if (stream) {
    // Fastify would keep a stream open while its server closes; `writeAnswer` ends it.
    reply.hijack()
    writeAnswer(reply.raw, answer)
    return reply
  }

  reply.code(status).headers(nodeHeaders(answer))
  // Sends bytes, because Fastify would add a charset to the content type of a string.
  reply.send(typeof body === 'string' ? Buffer.from(body) : body)
  return reply
}
