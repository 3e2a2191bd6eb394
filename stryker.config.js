/**
 * Mutation testing of the pure core: `npx stryker run`, or a part of it with `-m 'src/domain/tag/*.ts'`.
 * Slow on purpose (two processes): it is run by hand and its score is written down in docs/design/dialects.md.
 */
const config = {
  packageManager: 'npm',
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'hack/mutation/vitest.config.ts', related: false },
  mutate: ['src/domain/**/*.ts'],
  ignorePatterns: ['dist', 'reports', 'coverage', 'hack/dev-cluster', 'crds', 'config', 'docs'],
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: 'reports/mutation.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 90, low: 85, break: 85 },
  tempDirName: '.stryker-tmp',
  allowEmpty: false,
};

export default config;
