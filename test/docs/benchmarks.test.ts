/** docs/benchmarks.md and its pictures contain the figures of the run, and no others. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { filesOf, type Report, slower } from '../../bench/report-page.ts';

const report = JSON.parse(readFileSync('bench/report.json', 'utf8')) as Report;

it('the page and each picture are what the figures give', () => {
  const files = filesOf(report);
  expect(Object.keys(files)).toHaveLength(11);
  for (const [path, text] of Object.entries(files))
    expect([path, readFileSync(path, 'utf8') === text]).toEqual([path, true]);
});

it('a comparison that Tokenkeep loses is on the page, and one that it wins is not', () => {
  const [first, ...rest] = structuredClone(report.changes);
  const peers = rest.filter(({ program }) => !program.includes('Tokenkeep'));
  const told = (factor: number): string[] => {
    const points = first!.points.map(([size, time]): [number, number] => [size, time * factor]);
    const lines = slower({ ...report, changes: [{ ...first!, points }, ...rest] });
    return lines.filter((line) => line.startsWith(`One change, ${first!.program} beside `));
  };
  expect(peers.length).toBeGreaterThan(1);
  expect(told(1e-6)).toEqual([]);
  expect(told(1e6)).toEqual(peers.map(({ program }) => expect.stringContaining(`beside ${program}:`)));
  for (const line of slower(report)) expect(filesOf(report)['docs/benchmarks.md']).toContain(`- ${line}\n`);
});

it('a machine that computes for others is said to be loaded', () => {
  const page = (loads: number[]) =>
    filesOf({ ...report, run: { ...report.run, cores: 2, loads } })['docs/benchmarks.md'];
  expect(page([0.4, 9])).toContain('The machine was loaded');
  expect(page([0.4, 1.2])).not.toContain('The machine was loaded');
});
