import type { INestApplicationContext } from '@nestjs/common'
import { guardFinderOf } from '../frameworks/nest/routes.ts'
import { secure, type OpenApiDocument, type SecureOptions } from './secure.ts'

/**
 * Creates a document of @nestjs/swagger, and adds what the decorators of keystile/nest enforce:
 * `secureDocument(app, () => SwaggerModule.createDocument(app, config))`. The docstring of `secure`
 * lists what is added. @nestjs/swagger tells which class and which method handle each operation.
 *
 * Does NOT see other guards of the app.
 *
 * @param create creates the document. `secureDocument` calls it twice. It must not be async
 * @throws {Error} if the app has no `KeystileModule`, or if an operation has no handler in the app
 *   and its path is not in `ignore`
 * @throws {TypeError} for a scope that is not declared
 */
export function secureDocument<D extends OpenApiDocument>(
  app: INestApplicationContext,
  create: () => D,
  options: SecureOptions = {},
): D {
  return secure(create(), guardFinderOf(app, create), options)
}
