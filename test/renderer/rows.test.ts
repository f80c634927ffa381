import { describe, expect, test } from 'vitest';
import { groupAccounts } from '../../src-renderer/state/groups.ts';
import { beginningWith, layOut, moved, rowsWithin, scrolledTo } from '../../src-renderer/state/rows.ts';
import { account, cast, crowd } from './fake/cast.ts';

const NOW = 1_700_000_000;
const small = layOut(groupAccounts(cast(NOW).map((member) => member.account)));
const large = layOut(groupAccounts(crowd(10_000, NOW).map((member) => member.account)));

test('rows lie one under the other, without gaps', () => {
  for (const { rows, height } of [small, large]) {
    let top = 8;
    for (const row of rows) {
      expect(row.top).toBe(top);
      top += row.kind === 'group' ? 32 : 42;
    }
    expect(height).toBe(top + 8);
  }
  expect(large.accounts.map((row) => row.index)).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});

test('what is drawn is what is seen: the same as by looking at every row', () => {
  for (const top of [-500, 0, 7, 8, 39, 40, 41, 1000, 123_456, large.height - 700, large.height + 100]) {
    const seen = large.rows.filter(
      (row) => row.top <= top + 700 && row.top + (row.kind === 'group' ? 32 : 42) > top,
    );
    const drawn = rowsWithin(large, top, 700);
    expect(drawn).toEqual(expect.arrayContaining(seen));
    expect(drawn.length).toBeLessThan(20);
  }
  expect(rowsWithin(layOut([]), 0, 700)).toEqual([]);
});

test.each([
  ['ArrowDown', -1, 0],
  ['ArrowDown', 3, 4],
  ['ArrowDown', 9, 9],
  ['ArrowUp', 0, 0],
  ['ArrowUp', -1, 0],
  ['PageDown', 2, 7],
  ['PageDown', 8, 9],
  ['PageUp', 7, 2],
  ['Home', 5, 0],
  ['End', 5, 9],
  ['Enter', 5, null],
  ['constructor', 5, null],
])('%s from %d leads to %j', (key, from, to) => expect(moved(key, from, 10, 5)).toBe(to));

test('in an empty list no key leads anywhere', () => expect(moved('End', -1, 0, 5)).toBeNull());

test('typing finds the next name that begins so, around the end', () => {
  const at = (typed: string, from: number) => beginningWith(small, typed, from);
  expect(at('t', 0)).toBe(1);
  expect(at('T', 1)).toBe(1); // the only match
  expect(at('lin', 5)).toBe(2);
  expect(at('ada', 0)).toBe(0); // more letters of the selected name
  expect(at('zz', 0)).toBeNull();
});

test('a letter that is typed again moves on, around the list', () => {
  const names = ['Ada', 'Tom', 'tara', 'Tttim'];
  const list = layOut([{ id: 'g', title: 'g', accounts: names.map((name) => account({ id: name, name })) }]);
  let index = 0;
  const visited = ['t', 'tt', 'ttT', 'tttt', 'ttttt'].map((typed) => {
    index = beginningWith(list, typed, index) ?? -1;
    return names[index];
  });
  expect(visited).toEqual(['Tom', 'tara', 'Tttim', 'Tom', 'tara']);
  expect(beginningWith(list, 'ta', 1)).toBe(2);
});

describe('scrolling', () => {
  const row = (index: number) => {
    const found = large.accounts[index];
    if (found === undefined) throw new Error(`There is no row ${index}.`);
    return found;
  };
  test('stays where the row is seen already', () => expect(scrolledTo(row(3), 100, 700)).toBe(100));
  test('goes up to the title of the group for its first row', () =>
    expect(scrolledTo(row(0), 500, 700)).toBe(0));
  test('goes down no further than needed', () =>
    expect(scrolledTo(row(50), 0, 700)).toBe(row(50).top + 50 - 700));
});

test('a list of one account in one group', () => {
  const one = layOut(groupAccounts([account({ id: 'a', name: 'Ada' })]));
  expect(one.rows.map((row) => row.kind)).toEqual(['group', 'account']);
});
