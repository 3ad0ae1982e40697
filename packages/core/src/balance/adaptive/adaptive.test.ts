import { learningContract } from '../testing/learning-contract.ts'
import { adaptive } from './adaptive.ts'

learningContract('adaptive', adaptive)
learningContract('adaptive, two choices always', () => adaptive({ scanUpTo: 2, threeUpTo: 2 }))
