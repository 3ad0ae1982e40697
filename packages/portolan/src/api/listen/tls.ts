import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import { Fault } from '@portolan/core'
import type { Log } from '../../observe/log.ts'
import type { TlsFiles } from '../settings.ts'

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * Reads certificate and key, and sees that they belong together.
 * @throws Fault `config_invalid`
 */
export function readCertificate(files: TlsFiles): Certificate {
  try {
    const certificate = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
    createSecureContext(certificate)
    return certificate
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new Fault('config_invalid', `api.tls (${files.cert}, ${files.key}): ${reason}`, {
      source: 'caller',
      cause: thrown,
      hint: 'both files are PEM; the key belongs to the first certificate',
    })
  }
}

const lookEveryMs = 5000

/**
 * Gives the servers a renewed certificate as soon as its files have changed; a broken pair is said and not taken.
 * Returns what ends the watching.
 */
export function followCertificate(files: TlsFiles, servers: readonly Server[], log: Log): () => void {
  const renew = (): void => {
    try {
      const certificate = readCertificate(files)
      for (const server of servers) server.setSecureContext(certificate)
      log.info({ cert: files.cert }, 'api: the certificate was renewed')
    } catch (thrown) {
      log.error({ err: thrown }, 'api: the changed certificate cannot be used; the old one stays')
    }
  }
  const names = [...new Set([files.cert, files.key])]
  for (const name of names) watchFile(name, { interval: lookEveryMs, persistent: false }, renew)
  return () => {
    for (const name of names) unwatchFile(name, renew)
  }
}
