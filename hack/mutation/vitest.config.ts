import { join } from 'node:path';

import { defineConfig } from 'vitest/config';

/** The tests that guard src/domain: its own, and the case files. */
export default defineConfig({
  root: join(import.meta.dirname, '..', '..'),
  test: {
    name: 'domain',
    include: ['test/domain/**/*.test.ts', 'test/cases/nublado.test.ts', 'test/cases/policies.test.ts'],
    testTimeout: 20_000,
  },
});
