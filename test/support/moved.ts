import { cpSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What other programs do to a lock file, or to its folder. Afterwards, its path is free, or leads to another file. */
const MOVED: Readonly<Record<string, (file: string) => void>> = {
  deleted: (file) => rmSync(file),
  renamed: (file) => renameSync(file, `${file}.conflict`),
  'renamed and made anew': (file) => {
    renameSync(file, `${file}.conflict`);
    writeFileSync(file, '');
  },
  'kept by a second name and replaced': (file) => {
    linkSync(file, `${file}.backup`);
    writeFileSync(`${file}.new`, '');
    renameSync(`${file}.new`, file);
  },
  'in a folder that was renamed': (file) => {
    renameSync(dirname(file), `${dirname(file)}.old`);
    mkdirSync(dirname(file));
  },
  'in a folder that was put back from a backup': (file) => {
    cpSync(dirname(file), `${dirname(file)}.backup`, { recursive: true });
    renameSync(dirname(file), `${dirname(file)}.old`);
    renameSync(`${dirname(file)}.backup`, dirname(file));
  },
};

export const MOVES: readonly string[] = Object.keys(MOVED);

/** @param how one of `MOVES` */
export function moved(how: string, file: string): void {
  MOVED[how]?.(file);
}
