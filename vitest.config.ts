import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Tests run from source in every process: the condition below resolves the workspaces to their src folders,
// so a stale build can never make a test pass.
const conditions = ['portolan-source']
const shared = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } }

const patience = { testTimeout: 120_000, hookTimeout: 60_000 }
// Whoever bounds times or rates on a machine that its own load keeps busy: nothing else runs beside it.
const measuring = ['test/e2e/{detect,rate-limit}.test.ts']

export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/{repo,hostile,fuzz}/**/*.test.ts'],
          testTimeout: 20_000,
          // Vitest leaves one processor to itself: on two that is one file after the other, mostly waiting for timers.
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/{e2e,faults}/**/*.test.ts'],
          exclude: measuring,
          ...patience,
          // They wait for outages and time-outs more than they compute; every file has ports (test/ports.ts), folders,
          // namespaces and processes of its own.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e-alone',
          include: measuring,
          ...patience,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/core/src/**'],
      exclude: ['**/*.test.ts', '**/*.bench.ts', '**/testing/**'],
      thresholds: { lines: 95 },
      reporter: ['text-summary', 'json-summary'],
    },
  },
})
