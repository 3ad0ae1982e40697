import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem']

/** Writes `cert.pem`, a self-signed certificate for that name and 127.0.0.1, and its `key.pem` into the folder. */
export function writeCertificate(folder: string, name = 'order.test'): void {
  const names = ['-subj', '/CN=order', '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`]
  const args = ['req', '-x509', '-days', '1', ...key, '-out', 'cert.pem', ...names]
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
}

/** A self-signed certificate for `order.test` and 127.0.0.1. */
export function makeCertificate(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-certificate-'))
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  try {
    writeCertificate(folder)
    return { cert: read('cert.pem'), key: read('key.pem') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
