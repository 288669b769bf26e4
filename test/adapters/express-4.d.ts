/** Express 4 beside Express 5, whose types are near enough. */
declare module 'express-4' {
  import express from 'express'
  export default express
}
