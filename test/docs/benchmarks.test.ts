/** docs/benchmarks.md and its pictures say what the figures of the run say, and nothing else. */
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

it('a comparison that Tokenkeep loses is on the page', () => {
  const lines = slower(report);
  const [first, ...rest] = structuredClone(report.changes);
  const slow = {
    ...first!,
    points: first!.points.map(([size, time]): [number, number] => [size, time * 1e6]),
  };
  const worse = slower({ ...report, changes: [slow, ...rest] });
  const peers = rest.filter(({ program }) => !program.includes('Tokenkeep'));
  for (const { program } of peers)
    expect(
      worse.filter((line) => line.startsWith(`One change, ${first!.program} beside ${program}:`)),
    ).toHaveLength(1);
  expect(worse.length).toBeGreaterThan(lines.length);
  for (const line of lines) expect(filesOf(report)['docs/benchmarks.md']).toContain(`- ${line}\n`);
});

it('a machine that computes for others is said to be loaded', () => {
  const page = (loads: number[]) =>
    filesOf({ ...report, run: { ...report.run, cores: 2, loads } })['docs/benchmarks.md'];
  expect(page([0.4, 9])).toContain('The machine was loaded');
  expect(page([0.4, 1.2])).not.toContain('The machine was loaded');
});
