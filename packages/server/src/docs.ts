export { docs } from './features/pages/docs/docs.ts'
