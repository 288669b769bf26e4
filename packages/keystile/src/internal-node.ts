// keystile/internal-node: the part of keystile/internal that needs the types of Node.
export { nodeHeaders, writeAnswer } from './frameworks/node/node-answer.ts'
export { readNodeRequest } from './frameworks/node/node-request.ts'
