// What a step of a login returns: the user is signed in, or there is a next step.

/** The known names, and names that a later release of the issuer may send. */
type OrLater<Known extends string> = Known | (string & Record<never, never>)

/** A way to prove a second factor: a code of the authenticator app, or a recovery code. */
export type FactorMethod = OrLater<'otp' | 'recovery_code'>

/** A second factor that a user can set up: an authenticator app. */
export type NewFactor = OrLater<'totp'>

/** The code of the authenticator app, or a recovery code. */
export type FactorProof =
  | { readonly otp: string; readonly recoveryCode?: undefined }
  | { readonly recoveryCode: string; readonly otp?: undefined }

/** A login from the start. It may have the proof of a second factor. */
export interface Credentials {
  readonly username: string
  readonly password: string
  readonly otp?: string | undefined
  readonly recoveryCode?: string | undefined
  /** The requested scopes. Default: the default scopes of the issuer. */
  readonly scopes?: readonly string[]
}

export type LoginResult =
  | {
      readonly signedIn: true
      /**
       * The recovery codes of a user who has set up a second factor in this login. Show them: the
       * issuer never sends them again.
       */
      readonly recoveryCodes?: readonly string[]
      readonly next?: undefined
    }
  | {
      readonly signedIn: false
      /** What the person must do next. */
      readonly next: NextStep
      readonly recoveryCodes?: undefined
    }

/**
 * What the person must do next in a login. Its method goes on with the login and throws the errors
 * of `login`. After an error with a `next`, such as a wrong code, the person can try again.
 *
 * Keep it in memory: a login goes on only in the page in which it began.
 */
export type NextStep = ProveFactor | SetUpFactor | ConfirmApp | ProvePassword

/** The password is right, and the account has a second factor. */
export interface ProveFactor {
  readonly step: 'proveFactor'
  /** What the person may prove. The app must ignore names that it does not know. */
  readonly methods: readonly FactorMethod[]
  proveFactor(proof: FactorProof): Promise<LoginResult>
}

/** The password is right, and the user must have a second factor and has none. */
export interface SetUpFactor {
  readonly step: 'setUpFactor'
  /** What the person may set up. The app must ignore names that it does not know. */
  readonly factors: readonly NewFactor[]
  /** Whether the issuer has sent a code to the user's address, which `setUpApp` needs. */
  readonly needsEmailCode: boolean
  /** Gets the secret of a new authenticator app, for `factors` with `totp`. */
  setUpApp(proof?: { readonly emailCode?: string | undefined }): Promise<LoginResult>
}

/** The person must add the secret to an authenticator app, and send the first code of the app. */
export interface ConfirmApp {
  readonly step: 'confirmApp'
  /** In base32, for users who cannot scan the QR code. */
  readonly secret: string
  /** The secret as an `otpauth` URI: a link for users whose app is on the same device. */
  readonly uri: string
  /** The URI as a QR code: an SVG image. */
  readonly qrSvg: string
  /** The app is set up when this code is right, and the user is then signed in. */
  confirmApp(proof: { readonly otp: string }): Promise<LoginResult>
}

/** Only in a step-up: the person must prove the password again. */
export interface ProvePassword {
  readonly step: 'provePassword'
  /** Signs in the same user again. A different user gets the error `invalid_session`. */
  provePassword(credentials: Omit<Credentials, 'scopes'>): Promise<LoginResult>
}

/** What an API demands of a login, in the words of its guard. */
export interface LoginDemand {
  /** The accepted values of the claim `acr`, such as `['mfa']`. */
  readonly acr?: readonly string[] | undefined
  /** The greatest accepted time since the user proved the password. */
  readonly maxAgeSeconds?: number | undefined
}

/** A request needs a stronger or a more recent login. */
export interface StepUp extends LoginDemand {
  /** What the person must do first. */
  readonly next: NextStep
}
