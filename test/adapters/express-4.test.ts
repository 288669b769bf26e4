import express from 'express-4'
import { expressMounts, makeExpressApp } from './express-app.ts'
import { describeMount } from './mounted.ts'
import { describeGuards } from './suite.ts'

describeGuards('Express 4', makeExpressApp(express), { route: '/items/new', inRouter: undefined })
describeMount('Express 4', expressMounts(express))
