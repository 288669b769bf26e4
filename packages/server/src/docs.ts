// @keystile/server/docs: serves Swagger UI for an app's own API. Apart from `@keystile/server`, so
// that an app that only shows its documentation does not load a server.
export { docs } from './features/pages/docs/docs.ts'
