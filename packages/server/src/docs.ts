export { docs } from './features/docs/docs.ts'
