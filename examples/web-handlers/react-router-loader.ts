// React Router and Remix: the loader of app/routes/items.$id.tsx. Visitors without a token are
// admitted too.
import { guard } from './auth.ts'

interface LoaderArguments {
  readonly request: Request
  readonly params: { readonly id: string }
}

const load = guard.optional()((_request, caller, { params }: LoaderArguments) =>
  Response.json({ id: params.id, owner: caller?.user.username ?? 'nobody' }),
)
export const loader = (args: LoaderArguments): Promise<Response> => load(args.request, args)
