import { describe, expect, it } from 'vitest';
import { findings, unexplained } from '../../scripts/packaging/advisories.mjs';

const today = new Date('2026-06-01');
const report = JSON.stringify({
  vulnerabilities: {
    weak: {
      name: 'weak',
      via: [{ url: 'https://github.com/advisories/GHSA-aaaa', title: 'runs what it reads' }],
    },
    above: { name: 'above', via: ['weak'] },
  },
});
const weak = { id: 'GHSA-aaaa', name: 'weak', title: 'runs what it reads' };

describe('npm audit', () => {
  it('names each weakness once, where it is', () => {
    expect(findings(report)).toEqual([weak]);
    expect(findings('{ "vulnerabilities": {} }')).toEqual([]);
  });

  it.each(['', '<html>', '{ "message": "405 Method Not Allowed" }', '{ "vulnerabilities": null }'])(
    'that was not answered (%s) is not taken for good news',
    (text) => expect(findings(text)).toBeUndefined(),
  );

  it('leaves open what nobody explained, or explained until a day that has passed', () => {
    const until = (day: string, reason = 'not reached') => [{ id: 'GHSA-aaaa', reason, until: day }];
    expect(unexplained([weak], [], today).open).toEqual([weak]);
    expect(unexplained([weak], until('2026-12-31'), today)).toEqual({ open: [], stale: [] });
    expect(unexplained([weak], until('2026-01-31'), today)).toEqual({ open: [weak], stale: ['GHSA-aaaa'] });
    expect(unexplained([weak], until('2026-12-31', ' '), today).open).toEqual([weak]);
    expect(unexplained([], until('2026-12-31'), today).stale).toEqual(['GHSA-aaaa']);
  });
});
