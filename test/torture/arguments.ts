export const SECTIONS = [
  'kill',
  'inject',
  'bytes',
  'race',
  'keyring',
  'power',
  'older',
  'copies',
  'filesystems',
  'partitions',
] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface Arguments {
  /** The short form, which is part of `npm test`: a sample of each kind of fault, in about a minute. */
  short: boolean;
  seed: number;
  only: readonly SectionName[];
  /** Number of processes to kill. */
  kills: number;
  /** Runs only the faults whose name contains this. */
  fault: string;
  /** Path of the report, in JSON. */
  report: string | undefined;
}

/** @throws Error that names the unknown argument */
export function readArguments(words: readonly string[]): Arguments {
  const rest = [...words];
  const found: Arguments = { short: true, seed: 1, only: SECTIONS, kills: 0, fault: '', report: undefined };
  const only: SectionName[] = [];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [name = '', joined] = word.split(/=(.*)/s);
    const value = (): string => {
      const given = joined ?? rest.shift();
      if (given === undefined) throw new Error(`torture: ${name} needs a value`);
      return given;
    };
    const number = (): number => {
      const text = value();
      if (!/^\d+$/.test(text)) throw new Error(`torture: ${name} needs a number, not ${text}`);
      return Number(text);
    };
    if (name === '--short') found.short = true;
    else if (name === '--long') found.short = false;
    else if (name === '--seed') found.seed = number();
    else if (name === '--kills') found.kills = number();
    else if (name === '--fault') found.fault = value();
    else if (name === '--report') found.report = value();
    else if (name === '--only') {
      const wanted = value();
      const section = SECTIONS.find((known) => known === wanted);
      if (section === undefined) throw new Error(`torture: --only takes ${SECTIONS.join(', ')}`);
      only.push(section);
    } else if (SECTIONS.some((known) => known === word)) only.push(word as SectionName);
    else {
      throw new Error(
        `torture: ${word} is not understood; there are --short, --long, --seed N, --only NAME, --kills N, --fault TEXT`,
      );
    }
  }
  return {
    ...found,
    only: only.length > 0 ? only : SECTIONS,
    kills: found.kills || (found.short ? 16 : 2000),
  };
}
