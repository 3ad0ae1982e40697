/** Why TLS with an instance did not come about, and what to do: one line for people, without OpenSSL's own words. */
export function tlsFailure(error: NodeJS.ErrnoException): string {
  const { code = '' } = error
  const known = meanings[code]
  if (known !== undefined) return `TLS: ${known}`
  if (/alert/i.test(code))
    return `TLS: it refuses the handshake (${words(code)}): does it want a client certificate?`
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `TLS: no handshake (${words(code)})`
  return `TLS: ${error.message}`
}

/** `ERR_SSL_NO_SHARED_CIPHER` as words. */
const words = (code: string): string =>
  code
    .replace(/^ERR_SSL_/, '')
    .replaceAll('_', ' ')
    .toLowerCase()

const plain = 'it does not speak TLS: say tls: false, or name the port that does'
const unknown =
  'its certificate comes from an authority unknown here: name that in NODE_EXTRA_CA_CERTS, or say verify: false'
const selfSigned = 'its certificate is self-signed: name it in NODE_EXTRA_CA_CERTS, or say verify: false'

const meanings: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: plain,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: plain,
  ERR_SSL_HTTP_REQUEST: plain,
  ERR_SSL_UNEXPECTED_MESSAGE: plain,
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: unknown,
  UNABLE_TO_GET_ISSUER_CERT: unknown,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknown,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknown,
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: look at the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is not for its host: register it with the host that the certificate names',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that is spoken here (1.2, 1.3)',
}
