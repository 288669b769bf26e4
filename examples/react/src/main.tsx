import { ClientError } from 'keystile/client'
import { StrictMode, useEffect, useState, type FormEvent, type InputHTMLAttributes } from 'react'
import { createRoot } from 'react-dom/client'
import { client, loadItems, sellItems } from './auth.ts'
import {
  forgottenPassword,
  login,
  newApp,
  registration,
  startAgain,
  stepOf,
  type FieldName,
  type Step,
} from './steps.ts'

type Faults = Readonly<Record<string, string>>

const inputs: Record<FieldName, InputHTMLAttributes<HTMLInputElement> & { label: string }> = {
  login: { label: 'User name or e-mail', autoComplete: 'username' },
  username: { label: 'User name', autoComplete: 'username' },
  email: { label: 'E-mail', type: 'email', autoComplete: 'email' },
  password: { label: 'Password', type: 'password', autoComplete: 'current-password' },
  newPassword: { label: 'New password', type: 'password', autoComplete: 'new-password' },
  code: { label: 'Code', inputMode: 'numeric', autoComplete: 'one-time-code' },
  recoveryCode: { label: 'Recovery code', autoComplete: 'off' },
}

/** Shows a form, and what was wrong with it. */
function StepForm({ step, onDone }: { step: Step; onDone(next: Step | undefined): void }) {
  const [faults, setFaults] = useState<Faults>({})

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(event.currentTarget))
    setFaults({})
    try {
      onDone(await step.submit(values as Record<FieldName, string>))
    } catch (error) {
      const next = startAgain(error)
      if (next) onDone(next)
      else setFaults(faultsOf(error))
    }
  }

  const isKnown = step.fields.some((name) => faultAt(name, faults) !== undefined)
  return (
    <form onSubmit={submit}>
      <h2>{step.title}</h2>
      <p>{step.hint}</p>
      {step.app && (
        <>
          <img
            src={`data:image/svg+xml,${encodeURIComponent(step.app.qrSvg)}`}
            alt="QR code of the authenticator app"
            width="200"
          />
          <p>
            <a href={step.app.uri}>Open the app on this device</a>, or type{' '}
            <code>{step.app.secret}</code>
          </p>
        </>
      )}
      {step.recoveryCodes && <pre>{step.recoveryCodes.join('\n')}</pre>}
      {step.fields.map((name) => {
        const { label, ...attributes } = inputs[name]
        return (
          <p key={name}>
            <label>
              {label} <input name={name} required {...attributes} />
            </label>
            <span role="alert">{faultAt(name, faults)}</span>
          </p>
        )
      })}
      <p role="alert">{isKnown ? undefined : Object.values(faults)[0]}</p>
      <button>{step.title}</button>
      {step.instead && (
        <button type="button" onClick={() => onDone(step.instead)}>
          {step.instead.title}
        </button>
      )}
    </form>
  )
}

/** Returns the message for each value that was refused, or one message for the whole form. */
function faultsOf(error: unknown): Faults {
  if (error instanceof ClientError && Object.keys(error.fields).length > 0) return error.fields
  return { form: error instanceof Error ? error.message : String(error) }
}

function faultAt(name: FieldName, faults: Faults): string | undefined {
  return faults[name === 'newPassword' ? 'password' : name]
}

/** Asks for what a route demands, such as a code. The call waits until the form is closed. */
function StepUps() {
  const [asked, setAsked] = useState<{ readonly step: Step; readonly end: () => void }>()
  useEffect(
    () =>
      client.onStepUp(
        ({ next }) => new Promise<void>((end) => setAsked({ step: stepOf(next), end })),
      ),
    [],
  )
  if (!asked) return undefined

  function close() {
    asked?.end()
    setAsked(undefined)
  }
  function continueWith(next: Step | undefined) {
    // If the step-up is over, the user may try the button again.
    if (!next || next.title === login.title) close()
    else setAsked(asked && { ...asked, step: next })
  }
  return (
    <>
      <StepForm key={asked.step.title} step={asked.step} onDone={continueWith} />
      <button onClick={close}>Cancel</button>
    </>
  )
}

function Items() {
  const [message, setMessage] = useState('')
  const [setup, setSetup] = useState<Step>()
  const show = (error: unknown) =>
    setMessage(error instanceof Error ? error.message : String(error))
  const load = async (ask: typeof loadItems) => {
    const { owner, items } = await ask()
    setMessage(`${owner}: ${items.join(', ') || 'nothing left'}`)
  }
  function continueWith(next: Step | undefined) {
    setMessage('')
    setSetup(next)
  }

  return (
    <>
      <button onClick={() => void load(loadItems).catch(show)}>Load items</button>
      <button onClick={() => void load(sellItems).catch(show)}>Sell items</button>
      <button onClick={() => continueWith(newApp)}>Second factor</button>
      <button onClick={() => void client.logout().catch(show)}>Log out</button>
      <p role="status">{message}</p>
      <StepUps />
      {setup && <StepForm key={setup.title} step={setup} onDone={continueWith} />}
    </>
  )
}

function App() {
  const [isSignedIn, setSignedIn] = useState<boolean>()
  const [step, setStep] = useState(login)

  useEffect(() => {
    client.isSignedIn().then(setSignedIn, () => setSignedIn(false))
    return client.onSignOut(() => setSignedIn(false))
  }, [])

  function continueWith(next: Step | undefined) {
    setStep(next ?? login)
    if (!next) setSignedIn(true)
  }

  return (
    <main>
      <h1>Items</h1>
      {isSignedIn && <Items />}
      {isSignedIn === false && (
        <>
          <StepForm key={step.title} step={step} onDone={continueWith} />
          {[login, registration, forgottenPassword]
            .filter(({ title }) => title !== step.title)
            .map((other) => (
              <button key={other.title} onClick={() => setStep(other)}>
                {other.title}
              </button>
            ))}
        </>
      )}
    </main>
  )
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
