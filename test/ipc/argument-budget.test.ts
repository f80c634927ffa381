import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { fitsBudget } from '../../src-main/ipc/argument-budget.ts';

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['an id', 'abc'],
  ['a list of 100,000 accounts to save', 'x'.repeat(180 * 100_000)],
  [
    'the ids of twenty thousand accounts',
    Array.from({ length: 20_000 }, (_, index) => `account-${index}`.padEnd(22, 'x')),
  ],
  [
    'a profile',
    {
      kind: 'oidc',
      scopes: ['a', 'b'],
      redirect_uri: 'http://localhost',
      nested: { a: null, b: 1, c: true },
    },
  ],
  ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ['an object of another realm', runInNewContext('({ a: [1, { b: 2 }] })') as unknown],
])('takes %s', (_name, value) => {
  expect(fitsBudget([value])).toBe(true);
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

it.each<[string, unknown]>([
  ['a text that is too long', 'x'.repeat(20_000_001)],
  ['a long text in a list', ['x'.repeat(2_000_000)]],
  ['many short texts', Array.from({ length: 20_000 }, () => 'x'.repeat(100))],
  ['long names', { ['x'.repeat(2_000_000)]: 1 }],
  ['three million objects', Array.from({ length: 3_000_000 }, () => ({}))],
  ['a sparse list', Object.assign([], { length: 4_000_000_000 })],
  ['many small lists', Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 0))],
  ['deep nesting', deep(20)],
  ['very deep nesting', deep(3_000)],
  ['bytes', new Uint8Array(8)],
  ['a buffer', new ArrayBuffer(8)],
  ['a map', new Map([[1, 2]])],
  ['a set', new Set([1])],
  ['a date', new Date()],
  ['an error', new Error('x')],
  ['a large number', 2n ** 4000n],
  ['a getter', Object.defineProperty({}, 'a', { enumerable: true, get: () => 'x' })],
])('refuses %s', (_name, value) => {
  expect(fitsBudget([value])).toBe(false);
});

it('refuses what refers to itself, and takes no time for what is too much', () => {
  const circle: unknown[] = [];
  circle.push(circle, circle);
  const start = performance.now();
  expect(fitsBudget([circle])).toBe(false);
  const wide: unknown[] = Array.from({ length: 10 }, () => null);
  let level: unknown = wide;
  for (let times = 0; times < 7; times++) level = Array.from({ length: 10 }, () => level);
  expect(fitsBudget([level])).toBe(false);
  expect(performance.now() - start).toBeLessThan(5000); // Visiting all of them takes hours.
});
