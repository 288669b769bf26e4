// The tests of express-5.test.ts with Express 4. Without KEYSTILE_LONG=1, only the guards with users,
// and the two mounts in which the versions differ most: behind the parser `extended`, and at a path
// that the router strips.
import express from 'express-4'
import { expressMounts, makeExpressApp } from './express-app.ts'
import { describeMount } from './mounted.ts'
import { describeGuards } from './suite.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const mounts = Object.entries(expressMounts(express)).filter(
  ([way]) => isLong || /extended: true|strips/.test(way),
)

describeGuards(
  'Express 4',
  makeExpressApp(express),
  { route: '/items/new', inRouter: undefined },
  { onlyWithUsers: !isLong },
)
describeMount('Express 4', Object.fromEntries(mounts))
