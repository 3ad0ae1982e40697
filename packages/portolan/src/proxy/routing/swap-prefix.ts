/**
 * Path and query with another prefix, by whole segments: `/api/x?y` with `/api` and `/v2` is `/v2/x?y`, with `/api` and `/`
 * it is `/x?y`.
 * @param path begins with `prefix`; it may be empty, or a query alone, where `prefix` is `/` or empty
 */
export function swapPrefix(path: string, prefix: string, replacement: string): string {
  const swapped = `${withoutSlash(replacement)}${path.slice(withoutSlash(prefix).length)}`
  return swapped.startsWith('/') ? swapped : `/${swapped}`
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
