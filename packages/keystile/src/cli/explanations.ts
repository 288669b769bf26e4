// What each reason of a refusal means to the operator of an API, and what to do.
import type { TokenReason } from '../base/token-reasons.ts'

/**
 * Explains a reason to the operator of an API. `keystile token check` prints it, and
 * docs/reference/refused.md contains it.
 */
export interface Explanation {
  readonly meaning: string
  readonly cause: string
  readonly fix: string
}

export const explanations: Readonly<Record<TokenReason, Explanation>> = {
  no_credential: {
    meaning: 'The request has no header `Authorization: Bearer TOKEN`.',
    cause:
      'The client sends the token in a cookie or in the URL. Or the header got lost: a proxy ' +
      'removed it, or the client followed a redirect to another host.',
    fix: 'Send `Authorization: Bearer TOKEN`, and let the proxy pass the header on.',
  },
  malformed_credential: {
    meaning: 'The `Authorization` header is not `Bearer` followed by one token.',
    cause:
      'There are quotation marks, a comma or a line break around the token. Or more than one ' +
      'word follows `Bearer`, or the client sent the header twice.',
    fix: 'Send the header once, with the bare token: `Authorization: Bearer TOKEN`.',
  },
  verifier_closed: {
    meaning: 'The app has closed its verifier. A closed verifier checks no tokens.',
    cause: 'The app calls `verifier.close()` or `keystile.close()` before the HTTP server stops.',
    fix: 'Stop the HTTP server first and close the verifier last.',
  },
  token_too_long: {
    meaning: 'The token has more than 16,384 characters.',
    cause: 'The issuer writes lists into the token, such as all groups of a user.',
    fix: 'Configure the issuer to leave such lists out. Let the app look them up instead.',
  },
  malformed_token: {
    meaning: 'The token is not a signed JWT.',
    cause:
      'The client sends an opaque access token, a refresh token, an encrypted token, or a part ' +
      'of a token.',
    fix:
      'Send the `access_token` of the token endpoint unchanged. Some issuers issue a JWT only if ' +
      'the token request of the client names this API, as `audience` or `resource`.',
  },
  unknown_extension: {
    meaning:
      'The header of the token has `crit`, which demands an extension. Keystile supports none.',
    cause: 'The issuer signs with an extension such as `b64`.',
    fix: 'Turn the extension off at the issuer.',
  },
  unknown_algorithm: {
    meaning: 'Keystile does not know the algorithm in the header of the token.',
    cause: 'The token is not signed (`none`), or it is signed with an algorithm such as ES256K.',
    fix: 'Let the issuer sign with ES256, EdDSA or RS256. A token with `none` is a forgery.',
  },
  forbidden_algorithm: {
    meaning: 'The verifier does not allow the algorithm in the header of the token.',
    cause:
      'The option `algorithms` of the verifier does not list the algorithm. Or the token is ' +
      'signed with a shared secret (HS256), but the verifier fetches public keys.',
    fix: 'Add the algorithm to `algorithms`. For a shared secret, pass the secret as `keys`.',
  },
  keys_unavailable: {
    meaning: 'The verifier has no keys of the issuer yet. The answer is 503, so clients try again.',
    cause: 'The issuer cannot be reached from this machine, or its metadata names another issuer.',
    fix:
      'Read `detail` in the log: it names the URL and the error. Correct `issuer`, DNS, proxy or ' +
      'firewall, or pass `jwksUri`.',
  },
  unknown_key: {
    meaning: 'The issuer has no key with the `kid` and `alg` of the token.',
    cause:
      'The token is from another environment or issuer, or the issuer has withdrawn the key. Or ' +
      '`keys` does not contain the key with which the issuer signs.',
    fix:
      'Compare the `kid` of the token with the key set of the issuer. If the issuer has changed ' +
      'its keys, get a new token.',
  },
  wrong_signature: {
    meaning: 'The signature does not match the key that the token names.',
    cause:
      'The token was changed or cut. Or the issuer and this API have different secrets: often ' +
      'one of the two secrets has a line break at its end. Or the issuer has used one `kid` for ' +
      'two keys.',
    fix: 'Send the token as it was issued, and give both sides the same secret.',
  },
  wrong_type: {
    meaning: 'The token is not an access token of the kind that the verifier accepts.',
    cause:
      'The client sends an ID token or a refresh token. Or the issuer does not follow RFC 9068, ' +
      'and the verifier has no `tokenType`.',
    fix:
      "Send the access token. For an issuer without RFC 9068, set `tokenType: 'JWT'`. The " +
      'verifier then refuses a token whose `aud` is the client of the token, because ID tokens ' +
      'look like this. If the access tokens of your issuer look like this too, list their ' +
      'clients in `clients`.',
  },
  malformed_claim: {
    meaning: 'A claim has a type that its standard does not allow.',
    cause: 'The issuer writes a number as `sub`, a text as `exp`, or an array as `scope`.',
    fix: 'Read `detail` in the log: it names the claim. Correct the issuer.',
  },
  wrong_issuer: {
    meaning: 'The `iss` of the token is not an issuer of this verifier.',
    cause:
      'The `iss` of the token and the option `issuer` differ in a slash at the end, in http or ' +
      'https, in the port or in the host. Or the token is from another environment.',
    fix: 'If you trust the issuer of the token, set `issuer` to exactly the `iss` of the token.',
  },
  wrong_audience: {
    meaning: 'The `aud` of the token does not contain an audience of this verifier.',
    cause: 'The client asked for a token for another API, or `audience` has a typing error.',
    fix:
      'Ask for a token for this API. Or set `audience` to the name that the issuer uses for this ' +
      'API. Do not add the names of other APIs: this API would then accept their tokens.',
  },
  wrong_subject: {
    meaning: 'The `sub` of the token differs from the option `subject` of `verifyJwt`.',
    cause: 'The token belongs to another user. Only `verifyJwt` gives this reason, guards do not.',
    fix: 'Correct `subject` of `verifyJwt`, or use a token of the expected user.',
  },
  wrong_client: {
    meaning: 'The client of the token is not one of the `clients` of the verifier.',
    cause: 'Another app of the issuer calls this API, or `clients` has a typing error.',
    fix:
      'If this client may call the API, add its id (`client_id`, `azp`, `cid` or `appid` of the ' +
      'token) to `clients`.',
  },
  missing_claim: {
    meaning: 'The token lacks a required claim.',
    cause: 'The issuer leaves out `client_id`, `jti`, `iat`, `sub` or `exp`.',
    fix:
      'Read `detail` in the log: it names the claim. Let the issuer add the claim, or set ' +
      "`tokenType: 'JWT'`, which does not require `client_id`, `jti` and `iat`.",
  },
  not_yet_valid: {
    meaning:
      'The `nbf` of the token is in the future. With `maxTokenAgeSeconds`, the verifier also ' +
      'refuses an `iat` in the future.',
    cause: 'The clock of this machine is behind the clock of the issuer.',
    fix: 'Synchronise the clocks. `clockToleranceSeconds` allows up to 60 seconds.',
  },
  expired: {
    meaning:
      'The `exp` of the token is in the past, or the token is older than `maxTokenAgeSeconds`.',
    cause: 'The client still uses an expired token, or the clock of this machine is ahead.',
    fix: 'Refresh the token before it expires, as `keystile/client` does. Synchronise the clocks.',
  },
  revocations_unavailable: {
    meaning:
      'The verifier does not know which tokens are revoked. The answer is 503, so clients try ' +
      'again.',
    cause:
      'The database has not answered for some seconds. Or this API reads the revocations of ' +
      'another server, and has no news from it.',
    fix:
      'Look for errors of the database, or “revocations cannot be read”, in the log. For a ' +
      'stand-alone server, also read `/readyz`.',
  },
  revoked: {
    meaning: 'The session, the user, the client or the signing key of the token was revoked.',
    cause:
      'The user logged out, changed the password or was disabled. Or the client was disabled, or ' +
      'an operator revoked the key that signed the token.',
    fix: 'Log in again. `keystile audit` says who ended the session, when and why.',
  },
  login_too_old: {
    meaning: 'The route demands a login within the last `maxAgeSeconds` seconds.',
    cause:
      'The last login was longer ago. A refresh does not count as a login. Or the issuer does ' +
      'not write `auth_time` into the token.',
    fix:
      'Ask the user for the password again. If the issuer writes no `auth_time`, remove ' +
      '`maxAgeSeconds` from the route.',
  },
  login_too_weak: {
    meaning: 'The route demands an `acr` that the token does not have.',
    cause:
      'The user logged in with the password alone, and the route demands a second factor ' +
      '(`mfa`). Or the issuer does not write `acr` into the token.',
    fix:
      'Let the user log in with a second factor. If the issuer writes other values, demand those ' +
      'values; if it writes no `acr`, remove `acr` from the route.',
  },
  missing_scope: {
    meaning: 'The token lacks a scope that the route demands.',
    cause: 'The client did not ask for the scope, or the user does not have it.',
    fix:
      'Let the client ask for the scope at login. If the user does not have the scope, grant it: ' +
      '`keystile user grant NAME --scope SCOPE`.',
  },
  unknown_user: {
    meaning: 'The function `user` of the guard returned no user for a valid token.',
    cause:
      'The user was deleted or disabled. Or the function `user` does not search by ' +
      '`identity.subject`.',
    fix:
      'If you use `createKeystile` without a function `user`, there is nothing to correct: the ' +
      'user was deleted or disabled. Otherwise, let the function `user` search by ' +
      '`identity.subject`, which is a string.',
  },
  email_not_verified: {
    meaning: 'The route demands `verified`, and the user has no verified e-mail address.',
    cause:
      'The user has not confirmed the address yet, or has changed it. Or the function `user` ' +
      'returns an object without `emailVerified: true`.',
    fix:
      'Ask the user to confirm the address. The guard then accepts the same token. If the app ' +
      'keeps its own users, let the function `user` return `emailVerified`.',
  },
  refused_by_app: {
    meaning:
      'The app itself refused the token. Its code threw a `TokenError` (a class of `keystile`) ' +
      'with the code `invalid_token` and without a `reason`.',
    cause:
      'The function `user` refused the token. Or the app uses a verifier of its own instead of ' +
      '`createVerifier`, and this verifier refused the token.',
    fix: 'Find the place in the code of the app that throws the error.',
  },
  service_unavailable: {
    meaning: 'A service that the app needs for its check is unavailable. The answer is 503.',
    cause:
      'The database of Keystile did not answer, so the guard could not load the user. Or the ' +
      'function `user` threw a `TokenError` with the code `temporarily_unavailable`.',
    fix: 'Read the log of the app: the `cause` of the error names the service.',
  },
}
