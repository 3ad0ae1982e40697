/** What a program under test can be asked over its control channel, by name. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>

interface Question {
  readonly ask: number
  readonly what: string
  readonly argument?: unknown
}

/**
 * Answers whoever started this process, over Node's own channel between parent and child; and ends with that
 * channel, so that no program outlives the test that started it.
 */
export function obey(answers: Answers): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', (question: Question) => {
    const answer = answers[question.what] as ((argument: unknown) => unknown) | undefined
    if (answer === undefined) return
    Promise.resolve(answer(question.argument)).then(
      value => process.send?.({ answer: question.ask, value }),
      error => process.send?.({ answer: question.ask, error: String(error) }),
    )
  })
  // The channel alone keeps nothing alive.
  process.channel?.unref()
}
