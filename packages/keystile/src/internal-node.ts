// keystile/internal-node: the part of keystile/internal that needs the types of Node.
export { nodeHeaders, readNodeRequest, writeAnswer } from './frameworks/node/node-request.ts'
