import type { Result, Scenario } from './simulation.ts'

/** The results of one scenario under several policies. */
export interface Chapter {
  readonly scenario: Pick<Scenario, 'name' | 'about'>
  readonly results: readonly Result[]
}

const width = 860
const left = 150
const right = 180
const rowHeight = 24
const headHeight = 66
const gap = 26
/** Letters that fit into the width, on the whole. */
const longestLine = 125
/** Every third is left out where the scale is long. */
const ticks = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000] as const

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2733 }
  .title { font-size: 14px; font-weight: 600 }
  .about, .tick, .value { fill: #667085 }
  .tick { font-size: 10px; text-anchor: middle }
  .name { text-anchor: end }
  .grid { stroke: #e4e7ec }
  .span { stroke: #98a2b3; stroke-width: 6; stroke-linecap: round }
  .p50 { fill: #175cd3 } .p99 { fill: #d92d20 } .p999 { fill: #98a2b3 }
  .oracle text { font-style: italic } .oracle .span { stroke: #6ce9a6 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6eaf0 } .about, .tick, .value { fill: #98a2b3 } .grid { stroke: #344054 } .back { fill: #101828 }
  }`

/**
 * A picture of the results: for each scenario a line a policy, from the median to the 99.9th percentile on a logarithmic
 * scale, with a dot at the 99th.
 */
export function reportSvg(chapters: readonly Chapter[]): string {
  let y = 26
  const parts: string[] = []
  for (const chapter of chapters) {
    parts.push(`<g transform="translate(0 ${y})">${chapterSvg(chapter)}</g>`)
    y += headHeight + chapter.results.length * rowHeight + gap
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img">`,
    '<title>How long answers took, by policy</title>',
    `<style>${style}</style>`,
    `<rect class="back" width="${width}" height="${y}" fill="#ffffff"/>`,
    legend(),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

/** What the dots are, above everything, at the right end of the scale. */
function legend(): string {
  const marks = [
    ['p50', 'median', 4],
    ['p99', '99th percentile', 5],
    ['p999', '99.9th', 3],
  ] as const
  const from = width - right - 230
  const places = [from, from + 66, from + 182]
  return marks
    .map(
      ([kind, name, radius], index) =>
        `<circle class="${kind}" cx="${places[index]}" cy="12" r="${radius}"/>` +
        `<text class="about" x="${(places[index] ?? 0) + 10}" y="16">${name}</text>`,
    )
    .join('')
}

function chapterSvg({ scenario, results }: Chapter): string {
  const low = Math.min(...results.map(({ p50 }) => Math.max(0.5, p50))) / 1.3
  const high = Math.max(...results.map(({ p999 }) => p999)) * 1.3
  const x = (ms: number): number => {
    const share = Math.log(Math.max(low, ms) / low) / Math.log(high / low)
    return round(left + share * (width - left - right))
  }
  const bottom = headHeight + results.length * rowHeight
  const grid = ticks
    .filter((tick, index) => tick > low && tick < high && (high / low < 2000 || index % 3 !== 1))
    .map(
      tick =>
        `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${headHeight - 8}" y2="${bottom - 8}"/>` +
        `<text class="tick" x="${x(tick)}" y="${headHeight - 12}">${label(tick)}</text>`,
    )
  const rows = results.map((result, index) => row(result, headHeight + index * rowHeight, x))
  return [
    `<text class="title" x="14" y="16">${escaped(scenario.name)}</text>`,
    ...aboutSvg(scenario.about),
    ...grid,
    ...rows,
  ].join('\n')
}

/** One line, or two where one would not fit. */
function aboutSvg(about: string): string[] {
  const line = (text: string, y: number): string =>
    `<text class="about" x="14" y="${y}">${escaped(text)}</text>`
  const cut = about.lastIndexOf('; ', longestLine) + 1
  if (about.length <= longestLine || cut === 0) return [line(about, 32)]
  return [line(about.slice(0, cut), 30), line(about.slice(cut + 1), 44)]
}

function row(result: Result, y: number, x: (ms: number) => number): string {
  const { policy, p50, p99, p999, errors } = result
  const failed = errors > 0.0005 ? `, ${(errors * 100).toFixed(1)} % failed` : ''
  return [
    `<g class="${policy === 'oracle' ? 'oracle' : 'policy'}">`,
    `<title>${escaped(policy)}: p50 ${label(p50)}, p99 ${label(p99)}, p99.9 ${label(p999)}${failed}</title>`,
    `<text class="name" x="${left - 14}" y="${y + 4}">${escaped(policy)}</text>`,
    `<line class="span" x1="${x(p50)}" x2="${x(p999)}" y1="${y}" y2="${y}" opacity=".45"/>`,
    `<circle class="p50" cx="${x(p50)}" cy="${y}" r="4"/>`,
    `<circle class="p999" cx="${x(p999)}" cy="${y}" r="3"/>`,
    `<circle class="p99" cx="${x(p99)}" cy="${y}" r="5"/>`,
    `<text class="value" x="${width - right + 14}" y="${y + 4}">p99 ${label(p99)}${failed}</text>`,
    '</g>',
  ].join('')
}

function label(ms: number): string {
  return ms >= 1000 ? `${round(ms / 1000)} s` : `${round(ms)} ms`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
