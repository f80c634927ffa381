/** Generates docs/benchmarks.md and its pictures from the figures of one run. Nothing on the page is written by hand. */
import type { Figures } from './partitions-ratios.ts';
import { type Bar, bars, type Curves, curves, type Panel, type Role, type Theme } from './plot.ts';
import type { EntrySize, Installation } from './sizes.ts';
import { duration, median, times } from './statistics.ts';
import type { Outcome } from './together-programs.ts';

export interface ChangeFigures {
  program: string;
  /** The number of accounts, and the milliseconds of one change. */
  points: [number, number][];
}

type Beside<T> = Record<'empty' | 'app', T>;

/** The results of test/e2e/budgets.spec.ts. */
export interface WindowFigures {
  electron: string;
  sizes: ({ accounts: number } & Beside<{ drawn: number[]; memory: number[] }>)[];
  rest: Record<'visible' | 'hidden', Beside<{ wakeUps: number; written: number }>>;
}

export interface Report {
  run: {
    commit: string;
    date: string;
    minutes: number;
    processor: string;
    cores: number;
    gigabytes: number;
    system: string;
    node: string;
    msal: string;
    /** The load of the machine before each part, and at the end. */
    loads: number[];
  };
  race: { accounts: number; writers: number; updates: number };
  changes: ChangeFigures[];
  races: ({ program: string } & Outcome)[];
  window: WindowFigures;
  web: Record<string, Figures>;
  /** The run of `npm run bench:partitions` that `web` is of, if it is not this one. */
  webRun?: { commit: string; date: string; load: number };
  entries: EntrySize[];
  installed: Installation[];
}

/** The load per core, in running programs, above which the page warns. */
const BUSY = 0.75;

/** @returns the contents of all files, by their paths from the clone's root */
export function filesOf(report: Report): Record<string, string> {
  const pictures: [name: string, draw: (theme: Theme) => string][] = [
    ['change', (theme) => curves(changeCurves(report), theme)],
    ['lost', (theme) => bars(lostLabel(report), [lostPanel(report)], theme)],
    ['window', (theme) => bars('The app beside an empty window', windowPanels(report), theme)],
    ['web', (theme) => bars('Web requests beside DistributedCachePlugin', webPanels(report), theme)],
    ['size', (theme) => bars('Installed, beside peers', sizePanels(report), theme)],
  ];
  const themes: readonly Theme[] = ['light', 'dark'];
  return {
    'docs/benchmarks.md': pageOf(report),
    ...Object.fromEntries(
      pictures.flatMap(([name, draw]) =>
        themes.map((theme) => [`docs/images/benchmark-${name}-${theme}.svg`, draw(theme)]),
      ),
    ),
  };
}

const picture = (name: string, alt: string): string => `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="images/benchmark-${name}-dark.svg">
  <img src="images/benchmark-${name}-light.svg" alt="${alt}">
</picture>`;

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const tableOf = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const count = (value: number): string => Math.round(value).toLocaleString('en');
const kilobytes = (bytes: number): string => `${count(bytes / 1000)} kB`;
const plain = (program: string): string => program.replace(/ \d[\d.]*$/, '');

function changeCurves({ changes }: Report): Curves {
  let peer = 0;
  const series = changes.map(({ program, points }) => {
    const isOurs = program.includes('Tokenkeep');
    const role: Role = isOurs ? 'ours' : (peer++ as Role);
    return { name: plain(program), role, dashed: isOurs && program !== 'Tokenkeep', points };
  });
  return {
    label: changes
      .map(({ program, points }) => `${program}: ${points.map(([, y]) => duration(y)).join(', ')}`)
      .join('; '),
    xTitle: 'accounts in the cache, with four tokens each',
    yTitle: 'one change, until it is on disk',
    tick: duration,
    series,
  };
}

const lostLabel = ({ races }: Report): string =>
  races.map(({ program, lost, acknowledged }) => `${program}: ${lost} lost of ${acknowledged}`).join('; ');

function lostPanel({ races, race }: Report): Panel {
  return {
    title: `${race.writers} writers at once, ${race.updates} updates each`,
    key: [
      ['ours', 'kept by Tokenkeep'],
      ['reference', 'kept'],
      ['lost', 'lost after it was acknowledged'],
      ['refused', 'refused'],
    ],
    bars: races.map(({ program, acknowledged, lost, refused, isReadable }): Bar => {
      const isOurs = program.includes('Tokenkeep');
      const parts: Bar['parts'] = [
        { value: acknowledged - lost, role: isOurs ? 'ours' : 'reference' },
        { value: lost, role: 'lost' },
        { value: refused, role: 'refused' },
      ];
      const words = [`${lost} lost`, ...(refused > 0 ? [`${refused} refused`] : [])];
      return { name: plain(program), parts, text: isReadable ? words.join(', ') : 'the file can’t be read' };
    }),
  };
}

function besideEmpty(
  title: string,
  values: readonly [string, number][],
  text: (value: number) => string,
): Panel {
  const [, base] = values[0] ?? ['', NaN];
  return {
    title,
    bars: values.map(([name, value], index) => ({
      name,
      parts: [{ value, role: index === 0 ? 'reference' : 'ours' }],
      text: index === 0 ? text(value) : `${text(value)}, ${times(value / base)}`,
    })),
  };
}

function windowValues({ window }: Report, what: 'drawn' | 'memory'): [string, number][] {
  const empty = window.sizes.flatMap((size) => size.empty[what]);
  return [
    ['an empty window', median(empty)],
    ...window.sizes.map((size): [string, number] => [
      `Tokenkeep, ${count(size.accounts)} accounts`,
      median(size.app[what]),
    ]),
  ];
}

const windowPanels = (report: Report): Panel[] => [
  besideEmpty('Start: until the window is drawn', windowValues(report, 'drawn'), duration),
  besideEmpty('Memory of all processes', windowValues(report, 'memory'), (value) => `${count(value)} MB`),
  {
    title: 'Rest: wake-ups a second',
    bars: (['visible', 'hidden'] as const).flatMap((when) =>
      (['empty', 'app'] as const).map((which): Bar => {
        const { wakeUps } = report.window.rest[when][which];
        const name = which === 'empty' ? 'an empty window' : 'Tokenkeep, 10 accounts';
        const parts = [{ value: wakeUps, role: which === 'empty' ? 'reference' : 'ours' } as const];
        return { name: `${name}, ${when}`, parts, text: wakeUps.toFixed(1) };
      }),
    ),
  },
];

/** Requests under MSAL, in the order of the picture: the peer first. */
const WEB = [
  ['A fresh token, from the cache', 'fresh token'],
  ['A refresh', 'refresh'],
] as const;

const webRows = ({ web }: Report, kind: string): [string, Figures][] =>
  Object.entries(web)
    .filter(([name]) => name.startsWith(`${kind}, `))
    .map(([name, figures]) => [name.slice(kind.length + 2), figures]);

const webPanels = (report: Report): Panel[] =>
  WEB.map(([title, kind]) =>
    besideEmpty(
      `${title}: processor time of one request`,
      webRows(report, kind).map(([name, { cpu }]) => [name, cpu / 1000]),
      duration,
    ),
  );

const sizePanels = ({ installed }: Report): Panel[] => {
  const role = (name: string): Role => (name === 'Tokenkeep' ? 'ours' : 'reference');
  const panel = (
    title: string,
    value: (each: Installation) => number,
    text: (value: number) => string,
  ): Panel => ({
    title,
    bars: installed.map((each) => ({
      name: each.name,
      parts: [{ value: value(each), role: role(each.name) }],
      text: text(value(each)),
    })),
  });
  return [
    panel(
      'Installed with npm',
      ({ megabytes }) => megabytes,
      (value) => `${value.toFixed(1)} MB`,
    ),
    panel(
      'Time to install, from npm’s cache',
      ({ seconds }) => seconds,
      (value) => `${value.toFixed(1)} s`,
    ),
  ];
};

/** Smaller differences are noise. */
const LONGER = 1.05;

/** Returns every comparison of the run in which Tokenkeep takes longer or is larger. */
export function slower(report: Report): string[] {
  const { changes, installed } = report;
  const found: string[] = [];
  for (const ours of changes.filter(({ program }) => program.includes('Tokenkeep')))
    for (const peer of changes.filter(({ program }) => !program.includes('Tokenkeep'))) {
      const longer = peer.points.flatMap(([accounts, theirs], index) => {
        const ratio = (ours.points[index]?.[1] ?? NaN) / theirs;
        return ratio > LONGER ? [`${times(ratio)} at ${count(accounts)} accounts`] : [];
      });
      if (longer.length > 0)
        found.push(`One change, ${ours.program} beside ${peer.program}: ${longer.join(', ')}.`);
    }
  for (const [what, name] of [
    ['drawn', 'Start of the app'],
    ['memory', 'Memory of the app'],
  ] as const) {
    const [empty, ...sizes] = windowValues(report, what);
    const longer = sizes.flatMap(([label, value]) => {
      const ratio = value / (empty?.[1] ?? NaN);
      return ratio > LONGER ? [`${times(ratio)} with ${label.replace('Tokenkeep, ', '')}`] : [];
    });
    if (longer.length > 0) found.push(`${name}, beside an empty window: ${longer.join(', ')}.`);
  }
  for (const [title, kind] of WEB) {
    const [peer, ...own] = webRows(report, kind);
    for (const [name, { cpu }] of own)
      if (peer !== undefined && cpu > peer[1].cpu * LONGER)
        found.push(
          `${title}: \`${name}\` takes ${times(cpu / peer[1].cpu)} the processor time of \`${peer[0]}\`.`,
        );
  }
  const own = installed.find(({ name }) => name === 'Tokenkeep');
  for (const peer of installed)
    if (own !== undefined && own.megabytes > peer.megabytes)
      found.push(
        `Installed, Tokenkeep is ${times(own.megabytes / peer.megabytes)} as large as ${peer.name}.`,
      );
  return found;
}

function pageOf(report: Report): string {
  const { run, race, races, changes, window, web, webRun, entries, installed } = report;
  const busiest = Math.max(...run.loads);
  const load =
    busiest / run.cores > BUSY
      ? `**The machine was loaded** (load ${Math.min(...run.loads)} to ${busiest}): other programs were running, so times are too long. Compare within one table.`
      : `The machine was otherwise idle (load up to ${busiest}, this run included).`;
  const webNote =
    webRun === undefined
      ? ''
      : `These figures are of a run of \`npm run bench:partitions\`: commit ${webRun.commit}, ${webRun.date}, load ${webRun.load}.\n`;
  const [get] = Object.entries(web).filter(([name]) => name.startsWith('a bare GET'));
  return `# Benchmarks

One run of \`npm run bench -- --report\`, which writes this page and its pictures: commit ${run.commit}, ${run.date}, ${run.minutes} minutes.
${run.processor}, ${run.cores} cores, ${run.gigabytes} GB, ${run.system}; Node ${run.node}, MSAL Node ${run.msal}, Electron ${window.electron}. ${load}

The figures behind the pictures are in \`bench/report.json\`. \`bench/README.md\` says how they are measured, and has further benchmarks.

## One change, by the size of the cache

${picture('change', 'The time of one change from 10 to 10,000 accounts, for Tokenkeep and its peers')}

A program that runs already stores one more token response in a cache of this size, and waits until it is on disk. Medians. Each account has
four tokens (9 kB). Tokenkeep encrypts, and flushes to disk before it acknowledges. MSAL's extensions write plain text here, and flush
nothing. MSAL Python stores one access token, which is one of the up to five writes of a response there. electron-store stores one token
under a key of its own, in plain text, in Node.

${tableOf(
  ['', ...(changes[0]?.points ?? []).map(([accounts]) => `${count(accounts)} accounts`)],
  changes.map(({ program, points }) => [program, ...points.map(([, time]) => duration(time))]),
)}

## Lost updates

${picture('lost', 'Updates kept, lost and refused when four writers share one cache')}

${race.writers} writers share one cache of ${race.accounts} accounts. Each stores ${race.updates} tokens. An update is lost if it was acknowledged and is not in the file at the end. A
refused one was reported to its program as an error.

${tableOf(
  ['', 'acknowledged', 'lost', 'refused', 'file'],
  races.map(({ program, acknowledged, lost, refused, isReadable, reasons }) => [
    program,
    acknowledged,
    lost,
    refused === 0 ? 0 : `${refused} (${reasons.join(', ')})`,
    isReadable ? 'readable' : 'can’t be read',
  ]),
)}

## Start, memory and rest of the app

${picture('window', 'Start, memory and rest of the app beside an empty window of the same Electron')}

The app and an empty window of the same Electron, started in turn. Drawn: the first account is on the screen. Memory: all processes, shared
pages by their share. At rest: wake-ups of all threads, both side by side, the quietest 5 s of 15. The app wrote
${count(window.rest.visible.app.written + window.rest.hidden.app.written)} bytes to disk meanwhile.

${tableOf(
  ['', 'drawn', 'memory'],
  windowValues(report, 'drawn').map(([name, drawn], index) => [
    name,
    duration(drawn),
    `${count(windowValues(report, 'memory')[index]?.[1] ?? NaN)} MB`,
  ]),
)}

## A web request

${picture('web', 'Processor time of a token from the cache and of a refresh, beside DistributedCachePlugin')}

Redis, 1,000 users, 64 requests at once, through MSAL Node with a stubbed provider that costs nothing. \`DistributedCachePlugin\` has one client
for each request, because a shared one mixes users, and stores plain text. Tokenkeep encrypts, and keeps one client for each user, or
makes one for each request ("with a client"). A bare GET of the same bytes takes ${duration((get?.[1].cpu ?? NaN) / 1000)}.
${webNote}
${tableOf(
  ['', 'processor time', 'requests a second'],
  Object.entries(web).map(([name, { cpu, rate }]) => [name, duration(cpu / 1000), count(rate)]),
)}

## Size and installation

${picture('size', 'Installed size and time to install, beside msal-node-extensions and electron-store')}

Installed with npm into an empty folder: production dependencies, without peers, install scripts not run, everything in npm's cache. The
median of two.

${tableOf(
  ['', 'installed', 'packages', 'time', 'install scripts'],
  installed.map(({ name, megabytes, packages, seconds, scripts }) => [
    name,
    `${megabytes.toFixed(1)} MB`,
    packages,
    `${seconds.toFixed(1)} s`,
    scripts.length === 0 ? 'none' : scripts.join(', '),
  ]),
)}

What an app bundles of each entry when it uses everything in it, minified, without the two native packages and without peers; the first row is
the usual app. "Later" is loaded when it is first used.

${tableOf(
  ['entry', 'loaded', 'compressed', 'later'],
  entries.map(({ entry, loaded, gzip, later }) => [
    `\`${entry}\``,
    kilobytes(loaded),
    kilobytes(gzip),
    later === 0 ? '' : kilobytes(later),
  ]),
)}

## Where Tokenkeep is slower or larger

${slower(report)
  .map((line) => `- ${line}`)
  .join('\n')}
`;
}
