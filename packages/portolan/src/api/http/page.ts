import { isHealthy, serviceKey } from '@portolan/core'
import type { Registry } from '../../registry/registry.ts'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function asText(text: string): string {
  return text.replace(/[&<>"']/g, letter => entities[letter] ?? '')
}

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1c2733}' +
  'table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #d9e0e6}' +
  'td.n{font-variant-numeric:tabular-nums}.ill{color:#b3261e}code{background:#f1f4f6;padding:.1rem .3rem}'

/** No script, no frame, nothing from elsewhere: what services call themselves is text and stays text. */
export const pageHeaders = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
} as const

const maxRows = 200

/** What is running here, and where to go: the front page, until the console takes its place. */
export function frontPage(registry: Registry, version: string, gateway: string | undefined): string {
  const services = registry.services()
  const rows = services.slice(0, maxRows).map(({ name, instances, healthy }) => {
    const key = asText(serviceKey(name))
    const link = `/api/v1/services/${name.service}/instances?namespace=${name.namespace}`
    const ill = healthy < instances ? ' class="n ill"' : ' class="n"'
    return `<tr><td><a href="${asText(link)}">${key}</a><td class="n">${instances}<td${ill}>${healthy}`
  })
  const rest = services.length > maxRows ? `<p>… and ${services.length - maxRows} more.` : ''
  const table =
    rows.length === 0
      ? '<p>No service has registered yet.'
      : `<table><tr><th>Service<th>Instances<th>Healthy${rows.join('')}</table>${rest}`
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Portolan</title><style>${style}</style>
<h1>Portolan ${asText(version)}</h1>
${table}
${gateway === undefined ? '' : gatewayLine(gateway, registry)}
<p><a href="/api/v1/services">services as JSON</a> · <a href="/openapi.json">OpenAPI</a> ·
<a href="/metrics">metrics</a> · <a href="/healthz">health</a></p>
</html>
`
}

function gatewayLine(gateway: string, registry: Registry): string {
  const name = registry.services().find(({ name }) => registry.view(name).instances.some(isHealthy))
    ?.name.service
  return `<p>The gateway listens at <code>${asText(gateway)}</code>. Try
<code>curl -H 'Host: ${asText(name ?? 'SERVICE')}.portolan' ${asText(gateway)}/</code>`
}
