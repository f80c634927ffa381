// The walls between rooms and the habits of the house, each with its reason. Rules that need types are in .oxlintrc.json.
import parser from '@typescript-eslint/parser';
import { defineConfig } from 'eslint/config';
import { house, importsOnly } from './scripts/lint/plugin.mjs';

/** What makes a result depend on more than its arguments, or reach outside. */
const impure = [
  ...['process', 'Buffer', 'require'].map((name) => [name, 'it must run without Node']),
  ...['fetch', 'navigator', 'window', 'document'].map((name) => [name, 'it does no I/O']),
  ...['setTimeout', 'setInterval', 'setImmediate'].map((name) => [
    name,
    'whoever calls it decides when it runs',
  ]),
  ...['performance', 'crypto'].map((name) => [
    name,
    'time and chance are passed in, so that a test can set them',
  ]),
  ['globalThis', 'what is global is outside'],
  ['console', 'it returns what it has to say'],
];

const rawIpc = {
  property: 'ipcMain',
  message: 'Raw ipcMain has no sender check: use serveRequests of tokenkeep/electron.',
};
const ownClock = {
  object: 'Date',
  property: 'now',
  message: 'The clock is passed in, so that a test can set it.',
};

export default defineConfig(
  {
    ignores: [
      'dist/**',
      'out/**',
      'artifacts/**',
      'coverage/**',
      'release/**',
      '.electron-runtime/**',
      'test/docs/host.d.ts',
      '**/node_modules/**',
    ],
  },
  {
    files: ['**/*.{ts,mts,cts,tsx}'],
    languageOptions: { parser },
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportDefaultDeclaration',
          message: 'A default export has no name to search for. Export it by name.',
        },
        {
          selector: 'TSEnumDeclaration',
          message: 'Use a union of string literals: it needs no code at run time.',
        },
        {
          selector:
            "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
          message: 'The clock is passed in, so that a test can set it.',
        },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message:
            'Settings come in as arguments; the environment is read in app/ and scripts only, in one place each.',
        },
      ],
      'no-console': ['error', {}],
    },
  },

  {
    // Which room may know which is in scripts/lint/walls.mjs, with the reasons.
    files: ['**/*.{ts,mts,cts,tsx,js,mjs,cjs}'],
    plugins: { house },
    rules: { 'house/walls': 'error', 'house/circles': 'error' },
  },
  {
    files: ['src-main/{cache,doctor}/**/*.ts', 'src-main/{errors,queue}.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...impure.map(([name, why]) => ({ name, message: `This room is pure: ${why}.` })),
      ],
    },
  },
  {
    files: ['src-main/!(electron)/**/*.ts', 'src-main/*.ts'],
    rules: { 'no-restricted-properties': ['error', rawIpc, ownClock] },
  },
  {
    files: ['src-main/{cache,doctor}/**/*.ts', 'src-main/{errors,queue}.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        rawIpc,
        ownClock,
        { object: 'Math', property: 'random', message: 'This room is pure: chance is passed in.' },
      ],
    },
  },
  {
    files: ['app/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', rawIpc, { ...rawIpc, property: 'ipcRenderer' }],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'electron',
              importNames: ['ipcMain', 'ipcRenderer'],
              message:
                'Raw ipcMain has no sender check and ipcRenderer no contract: use serveRequests and exposeRequests of tokenkeep.',
            },
          ],
        },
      ],
    },
  },
  {
    // Only their imports are checked.
    files: ['*.config.ts', '*.config.js', 'test/**', 'bench/**', 'examples/**', 'scripts/**'],
    languageOptions: { parser: importsOnly },
  },
);
