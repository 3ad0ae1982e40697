import { runPickBench } from '../testing/pick-bench.ts'

await runPickBench('forecast-weighted')
