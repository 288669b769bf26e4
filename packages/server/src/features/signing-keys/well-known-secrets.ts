/**
 * Secrets that are long and varied enough and that everybody knows: from standards, tutorials and templates. Compared in
 * lower case.
 */
const wellKnown: ReadonlySet<string> = new Set(
  [
    // RFC 7515 §A.1.1 and RFC 7517 §A.3
    'AyM1SysPpbyfDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    // the tutorials of FastAPI
    '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
    // tutorials of Spring Security
    '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
    '5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437',
    // jwt.io
    'a-string-secret-at-least-256-bits-long',
    'a-string-secret-at-least-384-bits-long-enough-for-hs384',
    'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
    // templates
    'your-super-secret-jwt-token-with-at-least-32-characters-long',
    'THIS IS USED TO SIGN AND VERIFY JWT TOKENS, REPLACE IT WITH YOUR OWN SECRET, IT CAN BE ANY STRING',
    'a-very-long-random-string-with-symbols-and-numbers',
    // alphabets
    '0123456789abcdef0123456789abcdef',
    '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    'abcdefghijklmnopqrstuvwxyz012345',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    '0123456789abcdefghijklmnopqrstuvwxyz',
    'abcdefghijklmnopqrstuvwxyzabcdef',
    '12345678901234567890abcdefghijklmnop',
  ].map((secret) => secret.toLowerCase()),
)

/** What templates call a secret that somebody should replace: no random text of 32 characters has it by chance. */
const placeholders = [
  'changeme',
  'changethis',
  'changeit',
  'replacethis',
  'replacewith',
  'supersecret',
  'secretkey',
  'yoursecret',
  'jwtsecret',
  'djangoinsecure',
  'developmentonly',
]

/** Whether others know it, for it is printed where they read. */
export function isWellKnownSecret(secret: string): boolean {
  const lowered = secret.toLowerCase()
  const letters = lowered.replace(/[^a-z]/g, '')
  return wellKnown.has(lowered.trim()) || placeholders.some((words) => letters.includes(words))
}
