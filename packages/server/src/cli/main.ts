import { DatabaseUnavailableError } from '../storage/database.ts'
import { serve } from './serve.ts'
import { createTerminal, type Terminal } from './terminal.ts'
import { user } from './user.ts'

const help = `Keystile: accounts, sessions and keys behind POST /token

  keystile serve                     run the server
  keystile user create NAME          make an account [--email E] [--role R] [--scope S] [--password-file F]
  keystile user list                 all accounts, a line each: name, e-mail, state, since, roles and scopes
  keystile user disable NAME         refuse a user and all their tokens
  keystile help                      this text

Settings come from flags, the environment, and keystile.config.ts or .json, in this order:

  --issuer URL                KEYSTILE_ISSUER                the URL at which users reach the server
  --audience NAME             KEYSTILE_AUDIENCE              who the tokens are for; the issuer unless said
  --database FILE|URL         KEYSTILE_DATABASE[_FILE], DATABASE_URL   data/keystile.db unless said
  --host HOST                 KEYSTILE_HOST                  localhost unless said
  --port PORT                 KEYSTILE_PORT, PORT            8000 unless said
  --registration open|closed  KEYSTILE_REGISTRATION          open on localhost unless said
                              KEYSTILE_KEY[_FILE]            seals signing keys; a file beside SQLite unless said
  --signing-key-file FILE     KEYSTILE_SIGNING_KEY_FILE      a private JWK that signs instead of own keys
  --signing-algorithm ALG     KEYSTILE_SIGNING_ALGORITHM     ES256, EdDSA or RS256
  --access-token-seconds N    KEYSTILE_ACCESS_TOKEN_SECONDS  600 unless said
  --log-file FILE             KEYSTILE_LOG_FILE              standard error unless said
  --dangerously-allow-http-issuer true  KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER
  --config FILE               the settings' file, which may also hold scopes, roles, defaultScopes and profile`

const commands: Readonly<Record<string, (args: readonly string[], terminal: Terminal) => void | Promise<void>>> = {
  serve,
  user,
  help: (_args, terminal) => terminal.print(help),
}

async function main(args: readonly string[]): Promise<void> {
  const [name = 'help', ...rest] = args
  const wanted = name === '--help' || name === '-h' ? 'help' : name
  const run = Object.hasOwn(commands, wanted) ? commands[wanted] : undefined
  try {
    if (!run) throw new TypeError(`there is no command "${name}"; see keystile help`)
    await run(rest, createTerminal())
  } catch (error) {
    // What a person did or can mend is said in its own words; anything else is a bug and shows where it is.
    const { code, message } = error as NodeJS.ErrnoException
    const isTheirs =
      error instanceof TypeError ||
      error instanceof DatabaseUnavailableError ||
      code === 'EADDRINUSE' ||
      code === 'EACCES'
    console.error(isTheirs ? `keystile: ${message.replace(/^keystile /i, '')}` : error)
    process.exitCode = 1
  }
}

await main(process.argv.slice(2))
