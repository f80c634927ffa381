import { describe, expect, it } from 'vitest';
import { ArgumentsError, isArguments, parseArguments } from '../../app/arguments.ts';

describe('the command line', () => {
  it.each([
    [[], { importFile: null, demo: false }],
    [['--demo'], { importFile: null, demo: true }],
    [['--import', 'cache.json'], { importFile: '/home/ada/cache.json', demo: false }],
    [['--import=../cache.json'], { importFile: '/home/cache.json', demo: false }],
    [['--import', '/tmp/a b.json', '--demo'], { importFile: '/tmp/a b.json', demo: true }],
    [['--import', '-'], { importFile: '/home/ada/-', demo: false }],
    // Chromium's, the desktop's, and what a start adds of its own.
    [['--no-zygote', '--lang=de', '--inspect=0', '%U', '--demo-mode'], { importFile: null, demo: false }],
  ])('%j', (args, expected) => {
    expect(parseArguments(args, '/home/ada')).toEqual(expected);
  });

  it.each([
    [['--import'], 'needs a file'],
    [['--import='], 'needs a file'],
    [['--import', '--demo'], 'needs a file'],
    [['--import', 'a', '--import', 'b'], 'one file at a time'],
    [['--demo=yes'], 'takes no value'],
  ])('%j is refused', (args, sentence) => {
    expect(() => parseArguments(args, '/')).toThrow(ArgumentsError);
    expect(() => parseArguments(args, '/')).toThrow(sentence);
  });
});

describe('what a second start hands over', () => {
  it('is believed when it has the shape', () => {
    expect(isArguments({ importFile: '/a', demo: false })).toBe(true);
    expect(isArguments({ importFile: null, demo: true })).toBe(true);
  });

  it.each([null, undefined, 'x', {}, { importFile: 1, demo: true }, { importFile: null }, { demo: true }])(
    'and not when it is %j',
    (value) => {
      expect(isArguments(value)).toBe(false);
    },
  );
});
