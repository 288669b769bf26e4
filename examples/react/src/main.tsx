import { ClientError } from 'keystile/client'
import { StrictMode, useEffect, useState, type FormEvent, type InputHTMLAttributes } from 'react'
import { createRoot } from 'react-dom/client'
import { client, loadItems } from './auth.ts'
import { forgottenPassword, login, registration, type FieldName, type Step } from './steps.ts'

type Faults = Readonly<Record<string, string>>

const inputs: Record<FieldName, InputHTMLAttributes<HTMLInputElement> & { label: string }> = {
  login: { label: 'User name or e-mail', autoComplete: 'username' },
  username: { label: 'User name', autoComplete: 'username' },
  email: { label: 'E-mail', type: 'email', autoComplete: 'email' },
  password: { label: 'Password', type: 'password', autoComplete: 'current-password' },
  newPassword: { label: 'New password', type: 'password', autoComplete: 'new-password' },
  code: { label: 'Code', inputMode: 'numeric', autoComplete: 'one-time-code' },
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
      setFaults(faultsOf(error))
    }
  }

  const isKnown = step.fields.some((name) => faultAt(name, faults) !== undefined)
  return (
    <form onSubmit={submit}>
      <h2>{step.title}</h2>
      <p>{step.hint}</p>
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

function Items() {
  const [message, setMessage] = useState('')
  const show = (error: unknown) =>
    setMessage(error instanceof Error ? error.message : String(error))
  const load = async () => {
    const { owner, items } = await loadItems()
    setMessage(`${owner}: ${items.join(', ')}`)
  }

  return (
    <>
      <button onClick={() => void load().catch(show)}>Load items</button>
      <button onClick={() => void client.logout().catch(show)}>Log out</button>
      <p role="status">{message}</p>
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
