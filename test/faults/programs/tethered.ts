// Loaded before a program (`--import`) that knows nothing of tests: it ends with whoever started it.
import { obey } from './control.ts'

obey({})
