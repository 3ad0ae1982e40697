import type { Milliseconds } from '@portolan/core'

const day = String.raw`(?<day>\d{4}-\d\d-\d\d)`
const time = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d)(?::(?<second>[0-5]\d)(?:\.(?<fraction>\d{1,9}))?)?`
const zone = String.raw`(?:z|(?<sign>[+-])(?<zoneHour>[01]\d|2[0-3])(?::?(?<zoneMinute>[0-5]\d))?)`
const timestamp = new RegExp(`^${day}(?:[t ]${time}${zone}?)?$`, 'i')

/**
 * Milliseconds since 1970 of an ISO 8601 day or day and time: `2026-01-31`, `2026-01-31T12:00:00.5Z`, with a space for the
 * `T`, with another zone. Without a zone it is UTC, so that it means the same on every machine.
 * @returns undefined for everything else, and for days that do not exist
 */
export function readTimestamp(text: string): Milliseconds | undefined {
  const parts = timestamp.exec(text)?.groups
  if (parts === undefined) return undefined
  const midnight = new Date(`${parts.day}T00:00:00Z`)
  // The 30th of February is no date, or is one of March.
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(`${parts.day}T`))
    return undefined
  const zoneMinutes = 60 * Number(parts.zoneHour ?? 0) + Number(parts.zoneMinute ?? 0)
  const minutes =
    60 * Number(parts.hour ?? 0) + Number(parts.minute ?? 0) - (parts.sign === '-' ? -1 : 1) * zoneMinutes
  const fraction = Number((parts.fraction ?? '').padEnd(9, '0')) / 1e6
  return midnight.getTime() + 60_000 * minutes + 1000 * Number(parts.second ?? 0) + fraction
}
