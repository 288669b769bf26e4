// A hand-written guard with jose in Express 5.
import { serveExpress } from './express-routes.ts'
import { verifyWithJose } from './jose.ts'

serveExpress((req, res, next) => {
  verifyWithJose(req.headers.authorization).then(
    (claims) => {
      if (claims) {
        res.locals['claims'] = claims
        next()
      } else {
        res.status(401).json({ detail: 'Not authenticated' })
      }
    },
    () => void res.status(401).json({ detail: 'Invalid token' }),
  )
})
