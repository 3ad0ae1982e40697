const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const

export type Colour = keyof typeof codes

/** `text` in a colour, where colours are wanted. */
export function paint(colours: boolean, colour: Colour, text: string): string {
  return colours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text
}
