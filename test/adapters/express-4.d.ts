/** Declares Express 4 with the types of Express 5, which are close enough. */
declare module 'express-4' {
  import express from 'express'
  export default express
}
