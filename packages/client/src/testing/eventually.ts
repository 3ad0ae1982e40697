/** Waits until `probe` holds, and says what it waited for when it never does. */
export async function eventually(what: string, probe: () => boolean, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!probe()) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
