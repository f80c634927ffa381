// What the compiler can't hold: the walls between folders, and the habits of the house. Each rule says why.
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** A wall: files in `folder` may not import what matches `patterns`; `why` is what the reader of the error sees. */
function wall(folder, ...rules) {
  return {
    files: [`${folder}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: rules.map(({ why, ...rule }) => ({ ...rule, message: why })) },
      ],
    },
  };
}

const NODE = '^node:|^(fs|path|os|crypto|child_process|util|events|buffer)(/|$)';
const ELECTRON = '^electron(/|$)';
const outside = (...allowed) => `^\\.\\./(?!${allowed.map((name) => `${name}(/|$|\\.ts$)`).join('|')})`;

const electronOnlyThere = {
  regex: ELECTRON,
  why: "Only src-main/electron and app may import 'electron': the rest runs in plain Node and in other people's web apps.",
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
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
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

  wall(
    'src-main/cache',
    {
      regex: `${outside('errors')}|${NODE}`,
      why: 'cache/ is pure: it knows nothing but itself and errors.ts, and does no I/O. Pass what it needs as an argument.',
    },
    electronOnlyThere,
  ),
  {
    files: ['src-main/cache/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'cache/ is pure: pass what it needs as an argument.' },
        { name: 'Buffer', message: 'cache/ is pure, and must run without Node.' },
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'Date',
          property: 'now',
          message: 'cache/ is pure: the clock is passed in, so that a test can set it.',
        },
      ],
    },
  },
  wall(
    'src-main/keychain',
    {
      regex: outside('errors', 'queue', 'native-module'),
      why: 'keychain/ knows only errors.ts, queue.ts and native-module.ts: it keeps one small secret, whatever that is for.',
    },
    electronOnlyThere,
  ),
  wall(
    'src-main/lock',
    {
      regex: outside('errors', 'queue', 'native-module'),
      why: 'lock/ knows only errors.ts, queue.ts and native-module.ts: it does not care what it guards.',
    },
    electronOnlyThere,
  ),
  wall(
    'src-main/vault',
    {
      regex: outside('errors', 'cache', 'keychain', 'lock'),
      why: 'vault/ stands on cache, keychain and lock; what stands on it (ipc, electron, msal) must not be known here.',
    },
    electronOnlyThere,
  ),
  wall(
    'src-main/msal',
    {
      regex: `${outside('errors', 'cache')}|^@azure/`,
      why: 'msal/ knows cache and the cache handle: any handle will do. MSAL itself belongs to the embedder.',
    },
    electronOnlyThere,
  ),
  wall(
    'src-main/partitions',
    {
      regex: outside('errors', 'cache'),
      why: 'partitions/ knows only the cache handle and cache/: it runs in web apps, which have no vault and no keychain.',
    },
    {
      regex: '^(redis|pg|express-session)(/|$)',
      why: 'Clients are passed in, as whatever version the app has: describe what is used of them in an interface.',
    },
    electronOnlyThere,
  ),
  wall(
    'src-main/ipc',
    {
      regex: outside('errors', 'cache', 'vault'),
      why: 'ipc/ stands on cache and vault, and knows neither Electron nor the keychain.',
    },
    electronOnlyThere,
  ),
  wall(
    'app',
    {
      regex: ELECTRON,
      importNamePattern: '^ipc(Main|Renderer)$',
      why: 'Raw ipcMain has no sender check and ipcRenderer no contract: use serveRequests and exposeRequests of tokenkeep.',
    },
    {
      regex: '^\\.\\.?/(?:.*/)?src-(main|renderer)/|^\\.\\./src-',
      why: "The app is the first embedder: it imports 'tokenkeep', 'tokenkeep/electron' and 'tokenkeep/preload', as a stranger's app would.",
    },
  ),
  wall(
    'src-renderer',
    {
      regex: '(^|/)src-main/(?!ipc/contract\\.ts$)|(^|/)app/(?!contract\\.ts$)',
      why: 'The window knows the main process by its contracts only: import types from src-main/ipc/contract.ts or app/contract.ts.',
    },
    {
      regex: '/contract\\.ts$',
      allowTypeImports: true,
      why: 'A contract is types only: use `import type`.',
    },
    {
      regex: `${NODE}|^tokenkeep(/|$)|^keytar$`,
      why: 'The window is sandboxed: it has neither Node nor the token cache.',
    },
    electronOnlyThere,
  ),
  {
    files: ['src-main/!(electron)/**/*.ts', 'app/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          property: 'ipcMain',
          message: 'Raw ipcMain has no sender check: use serveRequests of tokenkeep/electron.',
        },
        { object: 'Date', property: 'now', message: 'The clock is passed in, so that a test can set it.' },
      ],
    },
  },
  {
    files: ['app/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          property: 'ipcMain',
          message: 'Raw ipcMain has no sender check: use serveRequests of tokenkeep/electron.',
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
