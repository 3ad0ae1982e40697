/** What `portolan up` and `portolan lb` are made of, for programs that embed them. */
export { defaultConfig, type LoadedConfig, loadConfig } from './config/load.ts'
export { type Lb, type LbOptions, startLb } from './lb.ts'
export { type Log, openLog } from './observe/log.ts'
export { type Role, type Server, type ServerOptions, startServer } from './server.ts'
