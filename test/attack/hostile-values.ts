/** Values that an attacker passes where another one is expected. */
import type { Random } from '../torture/random.ts';

/** In every hostile text, so that it is found wherever it comes out. No name of an error looks like it. */
export const MARK = 'tkMark7';

/** Values of JSON, as a provider or a document can send them. */
export const JSON_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e21,
  2 ** 53,
  '',
  ' ',
  MARK,
  `<img src=x onerror=alert(1)>${MARK}`,
  `${MARK}\r\nSet-Cookie: a=b`,
  `${MARK}\0`,
  `\u202e${MARK}\u200b`,
  `${MARK}${'x'.repeat(100_000)}`,
  '__proto__',
  'constructor',
  [],
  [MARK],
  [[[[[MARK]]]]],
  {},
  { toString: MARK, valueOf: MARK, length: 5 },
  JSON.parse(`{"__proto__":{"polluted":"${MARK}"}}`) as unknown,
  `https://evil.example/${MARK}`,
  `http://idp.example/${MARK}`,
  `https://idp.example@evil.example/${MARK}`,
  `https://idp.example.evil.example/${MARK}`,
  `https://idp.example:8443/${MARK}`,
  `//evil.example/${MARK}`,
  `javascript:alert('${MARK}')`,
  `file:///etc/${MARK}`,
  `data:text/html,${MARK}`,
  `ms-settings:${MARK}`,
  'http://127.0.0.1:9/',
  'https://sso.example/employer',
  'https://idp.example/other',
];

/** What a script can pass over a context bridge, beside JSON. */
const SCRIPT_VALUES: readonly (() => unknown)[] = [
  () => undefined,
  () => NaN,
  () => -Infinity,
  () => 10n,
  () => new Date(NaN),
  () => new Map([['a', 'b']]),
  () => new Set(['a']),
  () => new Uint8Array(8),
  () => new ArrayBuffer(8),
  () => new Error(MARK),
  () => /./,
  () => ({ length: 1, 0: 'a' }),
  () => ({ toJSON: () => MARK, toString: () => MARK }),
  () => Object.create({ inherited: MARK }) as unknown,
  () =>
    Object.defineProperty({}, 'secret', {
      enumerable: true,
      get: () => {
        throw new Error('A getter of the caller was called.');
      },
    }),
  () => new Array(100_000),
  () => Array.from({ length: 30_000 }, () => 'a'),
  () => nested(2_000),
  () => 'x'.repeat(2_000_000),
  () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    return circle;
  },
];

function nested(levels: number): unknown {
  let value: unknown = MARK;
  for (let level = 0; level < levels; level++) value = { value };
  return value;
}

/** Paths that a script in control of the page's process can name. */
export const PATHS: readonly string[] = [
  '/etc/passwd',
  '/dev/zero',
  '/dev/stdin',
  '/proc/self/mem',
  '/proc/self/environ',
  '/',
  '.',
  '..',
  '\\\\evil.example\\share\\x.json',
  '//evil.example/share/x.json',
  '\\\\?\\UNC\\evil.example\\x',
  '\\\\.\\pipe\\x',
  'C:\\Windows\\win.ini',
  `/nowhere/${MARK}.json`,
  'file:///etc/passwd',
  '-',
  '~/.ssh/id_rsa',
  `/${'a'.repeat(5_000)}`,
];

/** @param known ids and other valid values, so that some attacks get past the first check */
export function hostileValue(random: Random, known: readonly unknown[] = []): unknown {
  switch (random.below(6)) {
    case 0:
      return random.pick(SCRIPT_VALUES)();
    case 1:
      return known.length === 0 ? null : random.pick(known);
    case 2:
      return Array.from({ length: random.below(4) }, () => random.pick([...JSON_VALUES, ...known]));
    case 3:
      return { [random.pick(['id', 'kind', '__proto__', 'authority'])]: random.pick(JSON_VALUES) };
    case 4:
      return random.pick(PATHS);
    default:
      return random.pick(JSON_VALUES);
  }
}

/** A short name of a value, for the report. */
export function nameOf(value: unknown): string {
  let text: string;
  try {
    // undefined for values that are not JSON
    text = String(typeof value === 'bigint' ? value : (JSON.stringify(value) as string | undefined));
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Whether an attack changed what every object inherits. Undoes it. */
export function isPolluted(): boolean {
  const names = Object.keys(Object.prototype);
  const found = names.length > 0 || ({} as Record<string, unknown>)['polluted'] !== undefined;
  for (const name of names) Reflect.deleteProperty(Object.prototype, name);
  return found;
}
