import { StrictMode, useEffect, useState, type FormEvent } from 'react'
import { createRoot } from 'react-dom/client'
import { client, loadItems, register } from './auth.ts'

function App() {
  const [isSignedIn, setSignedIn] = useState<boolean>()
  const [message, setMessage] = useState('')
  const show = (error: unknown) =>
    setMessage(error instanceof Error ? error.message : String(error))

  useEffect(() => {
    client.isSignedIn().then(setSignedIn, show)
    return client.onSignOut(() => {
      setSignedIn(false)
      setMessage('') // it may show data of the user who has logged out
    })
  }, [])

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    const { username = '', email = '', password = '' } = form
    const isNew = (event.nativeEvent as SubmitEvent).submitter?.id === 'register'
    setMessage('')

    try {
      await (isNew ? register({ username, email, password }) : client.login({ username, password }))
      setSignedIn(true)
    } catch (error) {
      show(error)
    }
  }

  return (
    <main>
      <h1>Items</h1>
      {isSignedIn === false && (
        <form onSubmit={submit}>
          <label>
            User name <input name="username" autoComplete="username" required />
          </label>
          <label>
            E-mail (to register) <input name="email" type="email" autoComplete="email" />
          </label>
          <label>
            Password{' '}
            <input name="password" type="password" autoComplete="current-password" required />
          </label>
          <button>Log in</button>
          <button id="register">Register</button>
        </form>
      )}
      {isSignedIn && (
        <>
          <button
            onClick={() =>
              loadItems().then(
                ({ owner, items }) => setMessage(`${owner}: ${items.join(', ')}`),
                show,
              )
            }
          >
            Load items
          </button>
          <button onClick={() => client.logout().catch(show)}>Log out</button>
        </>
      )}
      <p role="status">{message}</p>
    </main>
  )
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
