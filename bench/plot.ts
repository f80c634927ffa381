/** Draws the figures of a report as SVG, for light and dark backgrounds: curves on two logarithmic axes, and bars. */

export type Theme = 'light' | 'dark';

/** What a series or a bar represents: Tokenkeep, a peer by its number, or a reference such as an empty window. */
export type Role = 'ours' | 'reference' | 'lost' | 'refused' | 0 | 1 | 2;

const INK: Readonly<Record<Theme, Record<'page' | 'text' | 'faint' | 'grid', string>>> = {
  light: { page: '#ffffff', text: '#1f2328', faint: '#59636e', grid: '#d8dee4' },
  dark: { page: '#0d1117', text: '#e6edf3', faint: '#9aa4af', grid: '#30363d' },
};

const COLOURS: Readonly<Record<Theme, Record<Role, string>>> = {
  light: {
    ours: '#1f5fd0',
    reference: '#8c959f',
    lost: '#c4320a',
    refused: '#e8a33d',
    0: '#b5530f',
    1: '#1f7a4d',
    2: '#8a3fb8',
  },
  dark: {
    ours: '#6ea8ff',
    reference: '#6e7681',
    lost: '#ff7b5c',
    refused: '#d9a441',
    0: '#ff9d5c',
    1: '#56d18f',
    2: '#c99bff',
  },
};

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const at = (value: number): string => String(Math.round(value * 10) / 10);

interface Word {
  x: number;
  y: number;
  fill: string;
  anchor?: 'start' | 'middle' | 'end';
  bold?: boolean;
}

function word(text: string, { x, y, fill, anchor = 'start', bold = false }: Word): string {
  const weight = bold ? ' font-weight="600"' : '';
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${fill}"${weight}>${escaped(text)}</text>`;
}

function drawing(
  size: [width: number, height: number],
  label: string,
  theme: Theme,
  parts: string[],
): string {
  const [width, height] = size;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label).replaceAll('"', '&quot;')}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="${INK[theme].page}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

export interface Series {
  name: string;
  role: Role;
  dashed?: boolean;
  points: readonly (readonly [x: number, y: number])[];
}

export interface Curves {
  /** The text alternative of the picture. */
  label: string;
  xTitle: string;
  yTitle: string;
  /** Formats a value at the y axis. */
  tick: (value: number) => string;
  series: readonly Series[];
}

/** Draws curves on two logarithmic axes. Each curve has its name at its end. */
export function curves({ label, xTitle, yTitle, tick, series }: Curves, theme: Theme): string {
  const [width, height, left, right, top, bottom] = [820, 440, 66, 596, 40, 386];
  const ink = INK[theme];
  const xs = series.flatMap(({ points }) => points.map(([x]) => Math.log10(x)));
  const ys = series.flatMap(({ points }) => points.map(([, y]) => Math.log10(y)));
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const [y0, y1] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys))];
  const xOf = (x: number): number => left + ((Math.log10(x) - x0) / (x1 - x0)) * (right - left);
  const yOf = (y: number): number => bottom - ((Math.log10(y) - y0) / (y1 - y0)) * (bottom - top);
  const parts = [word(yTitle, { x: left, y: 22, fill: ink.faint })];
  for (let power = y0; power <= y1; power += 1) {
    const y = yOf(10 ** power);
    parts.push(`<path d="M${left} ${at(y)}H${right}" stroke="${ink.grid}"/>`);
    parts.push(word(tick(10 ** power), { x: left - 8, y: y + 4, fill: ink.faint, anchor: 'end' }));
  }
  for (const x of new Set(series.flatMap(({ points }) => points.map(([each]) => each))))
    parts.push(
      word(x.toLocaleString('en'), { x: xOf(x), y: bottom + 20, fill: ink.faint, anchor: 'middle' }),
    );
  parts.push(word(xTitle, { x: (left + right) / 2, y: bottom + 42, fill: ink.faint, anchor: 'middle' }));
  for (const { role, dashed, points } of series) {
    const stroke = COLOURS[theme][role];
    const line = points.map(([x, y]) => `${at(xOf(x))},${at(yOf(y))}`).join(' ');
    const style = `stroke-width="${role === 'ours' ? 3 : 2}"${dashed === true ? ' stroke-dasharray="7 5"' : ''}`;
    parts.push(`<polyline points="${line}" fill="none" stroke="${stroke}" ${style}/>`);
    for (const [x, y] of points)
      parts.push(`<circle cx="${at(xOf(x))}" cy="${at(yOf(y))}" r="3.5" fill="${stroke}"/>`);
  }
  // The names are beside the last points, moved apart if the points are close.
  let lowest = -Infinity;
  const ends = series.map((each) => ({ ...each, y: yOf(each.points.at(-1)?.[1] ?? 1) }));
  for (const { name, role, y } of ends.sort((a, b) => a.y - b.y)) {
    const free = Math.max(y + 4, lowest + 18);
    lowest = free;
    parts.push(word(name, { x: right + 12, y: free, fill: COLOURS[theme][role], bold: role === 'ours' }));
  }
  return drawing([width, height], label, theme, parts);
}

export interface Bar {
  name: string;
  parts: readonly { value: number; role: Role }[];
  /** The text behind the bar. */
  text: string;
}

export interface Panel {
  title: string;
  /** The meaning of the colours, if the names of the bars don't give it. */
  key?: readonly (readonly [role: Role, meaning: string])[];
  bars: readonly Bar[];
}

/** Draws panels of horizontal bars, one below the other, each with its own scale that begins at zero. */
export function bars(label: string, panels: readonly Panel[], theme: Theme): string {
  const [width, left, longest, step] = [820, 250, 320, 28];
  const ink = INK[theme];
  const parts: string[] = [];
  let y = 8;
  for (const { title, key = [], bars: rows } of panels) {
    parts.push(word(title, { x: 16, y: y + 16, fill: ink.text, bold: true }));
    y += 28;
    let keyX = 16;
    for (const [role, meaning] of key) {
      parts.push(`<rect x="${keyX}" y="${y}" width="12" height="12" fill="${COLOURS[theme][role]}"/>`);
      parts.push(word(meaning, { x: keyX + 18, y: y + 11, fill: ink.faint }));
      keyX += 46 + meaning.length * 7;
    }
    if (key.length > 0) y += 24;
    const largest = Math.max(...rows.map((row) => sum(row)), Number.MIN_VALUE);
    for (const row of rows) {
      const isOurs = row.parts.some(({ role }) => role === 'ours');
      parts.push(word(row.name, { x: left - 12, y: y + 15, fill: ink.text, anchor: 'end', bold: isOurs }));
      let x = left;
      for (const { value, role } of row.parts) {
        const length = (value / largest) * longest;
        parts.push(
          `<rect x="${at(x)}" y="${at(y)}" width="${at(length)}" height="20" fill="${COLOURS[theme][role]}"/>`,
        );
        x += length;
      }
      parts.push(word(row.text, { x: x + 8, y: y + 15, fill: ink.faint }));
      y += step;
    }
    y += 12;
  }
  return drawing([width, y + 4], label, theme, parts);
}

const sum = (row: Bar): number => row.parts.reduce((total, { value }) => total + value, 0);
