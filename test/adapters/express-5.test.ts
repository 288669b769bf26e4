import express from 'express'
import { expressMounts, makeExpressApp } from './express-app.ts'
import { describeMount } from './mounted.ts'
import { describeGuards } from './suite.ts'

describeGuards('Express 5', makeExpressApp(express), { route: '/items/new', inRouter: undefined })
describeMount('Express 5', expressMounts(express))
