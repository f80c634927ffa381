// What the compiler can't hold: the walls between folders, and the habits of the house. Each rule says why.
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';
import { house } from './scripts/lint/plugin.mjs';

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

export default tseslint.config(
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
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.{ts,tsx}'] })),
  {
    files: ['**/*.{ts,tsx}'],
    // One program for all files. The project service makes the same one once more, for editors.
    languageOptions: { parserOptions: { project: 'tsconfig.json', tsconfigRootDir: import.meta.dirname } },
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
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // A template with a number in it is fine; one with an object in it is a mistake.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // `() => promise` handed to an event is everywhere in a user interface; unhandled ones are found by no-floating-promises.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // Contracts are written with `type` where a mapped type needs it and `interface` elsewhere.
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/dot-notation': 'off',
      // A fake is an object of the same shape; that is what makes it a fake and no mock.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'no-console': ['error', {}],
      eqeqeq: 'error',
    },
  },

  {
    // Which room may know which is in scripts/lint/walls.mjs, with the reasons.
    files: ['**/*.{ts,tsx,js,mjs,cjs}'],
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
    files: ['src-renderer/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: { ...reactHooks.configs.recommended.rules },
  },
  {
    files: ['*.config.ts', '*.config.js', 'test/**', 'bench/**', 'examples/**', 'scripts/**'],
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
  {
    // An `async` without `await` turns a throw into a rejection, which is what whoever calls an adapter expects.
    files: ['examples/**/*.ts'],
    rules: { '@typescript-eslint/require-await': 'off' },
  },
  {
    // Tests read what they wrote: JSON documents, fixtures, child processes' answers.
    // Scripts have no types at all.
    files: ['test/**/*.{ts,tsx}', 'bench/**/*.ts', '*.config.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
