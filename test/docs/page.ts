/** The pages of the documentation: every Markdown file of the clone, with its blocks of code, headings and links. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A fenced block of code. */
export interface Block {
  /** The language after the fence: "ts", "js", "sh", or "". */
  language: string;
  code: string;
  /** Line number of the block's first line in the page, from 1. */
  line: number;
  /** The heading above the block. */
  heading: string;
}

/** Paths relative to the clone's root. */
export const PAGES: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.md'],
  { encoding: 'utf8' },
)
  .trim()
  .split('\n');

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  let heading = '';
  readFileSync(page, 'utf8')
    .split('\n')
    .forEach((text, index) => {
      const fence = /^\s*```\s*(\S*)/.exec(text);
      if (fence !== null && open === undefined) {
        open = { language: fence[1] ?? '', code: '', line: index + 2, heading };
      } else if (fence !== null && open !== undefined) {
        blocks.push(open);
        open = undefined;
      } else if (open !== undefined) open.code += `${text}\n`;
      else heading = /^#+ (.*)/.exec(text)?.[1] ?? heading;
    });
  if (open !== undefined) throw new Error(`${page}: a block of code does not end`);
  return blocks;
}

/** Returns the blocks of a page in the languages that are compiled. */
export function codeOf(page: string): Block[] {
  return blocksOf(page).filter(({ language }) => COMPILED.includes(language));
}

export const COMPILED: readonly string[] = ['ts', 'js'];

/** Returns the page without its code. */
function prose(page: string): string {
  return readFileSync(page, 'utf8')
    .replaceAll(/^\s*```.*?^\s*```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''));
}

/** Returns the targets of a page's links and pictures, as written. */
export function linksOf(page: string): string[] {
  return [...prose(page).matchAll(/\]\(\s*<?([^)\s>]+)/g)].map(([, target]) => target ?? '');
}

/** Returns the anchors of a page's headings, as GitHub names them. */
export function anchorsOf(page: string): string[] {
  const anchors: string[] = [];
  for (const [, heading = ''] of prose(page).matchAll(/^#+ (.*)$/gm)) {
    const name = heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const before = anchors.filter((other) => other === name || other.startsWith(`${name}-`)).length;
    anchors.push(anchors.includes(name) ? `${name}-${before}` : name);
  }
  return anchors;
}
