import { destination, type Logger, pino } from 'pino'

export type Log = Logger

/** One JSON line an event on stderr: stdout belongs to the commands' answers. */
export function openLog(level = process.env.PORTOLAN_LOG ?? 'info'): Log {
  return pino({ name: 'portolan', level }, destination({ fd: 2, sync: true }))
}
