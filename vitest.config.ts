import { defineConfig } from 'vitest/config';
import { TotalsReporter } from './hack/totals-reporter.ts';

/**
 * Four suites: `unit` needs nothing but this process and loopback, `e2e` the development cluster, `browser` Chromium
 * as well, `node` a real node in it and therefore root.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    reporters: [process.env['CI'] === 'true' ? 'dot' : 'default', new TotalsReporter()],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'lcovonly'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/e2e-node/**', 'test/browser/**'],
          testTimeout: 20_000,
          // What a real server on loopback answers may take longer than a second where the machine is busy.
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 900_000,
          // Each file has its own cluster and mostly waits for it.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/e2e-node/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
