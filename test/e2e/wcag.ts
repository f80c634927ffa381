/** The window checked with axe-core for WCAG 2.1, levels A and AA. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';

/** Half the size of the script that is the package's main file. */
const AXE = readFileSync(
  createRequire(import.meta.resolve('@axe-core/playwright')).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** Levels A and AA. */
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];

/** The rules among them that look at colors. */
const COLORS = ['color-contrast', 'link-in-text-block'];

/**
 * The ways in which text was drawn and had enough contrast, as `checkInPage` describes them. Two thirds of axe's time would go to contrast,
 * though the hundreds of texts of a screen are drawn in a few ways, and most screens share them.
 */
const legible = new Set<string>();

/**
 * Returns what axe finds wrong in the window's current state, an entry for each rule.
 *
 * @param options.colorsOnly whether only the rules about colors are run
 * @param options.forced whether the user's own colors are shown. Their contrast is the user's own, and can be emulated only in part
 */
export async function wcagFaults(
  window: Page,
  { colorsOnly, forced }: { colorsOnly: boolean; forced: boolean },
): Promise<string[]> {
  // Loading axe takes longer than running it: each document loads it once.
  if (!(await window.evaluate(() => 'axe' in globalThis))) await window.evaluate(AXE);
  const { faults, passed } = await window.evaluate(checkInPage, {
    runOnly: colorsOnly ? { type: 'rule', values: COLORS } : { type: 'tag', values: WCAG },
    rules: { 'color-contrast': { enabled: !forced } },
    known: [...legible],
  });
  for (const way of passed) legible.add(way);
  return faults;
}

interface Asked {
  runOnly: object;
  rules: object;
  /** The ways of drawing that have enough contrast. */
  known: string[];
}

/** What axe gives to a reporter, as far as it is used. */
interface RuleResult {
  id: string;
  violations: { node: { element: Element } }[];
  passes: { node: { element: Element } }[];
}

interface Axe {
  addReporter(
    name: string,
    report: (results: RuleResult[], options: object, answer: (said: unknown) => void) => void,
  ): void;
  configure(changes: object): void;
  run(context: Document, options: object): Promise<unknown>;
}

interface Found {
  faults: string[];
  /** The ways of drawing that have enough contrast. */
  passed: string[];
}

/** Runs in the page. Of the texts that are drawn in the same way, the contrast of one is checked; if axe can't tell for that one, of all. */
async function checkInPage({ runOnly, rules, known }: Asked): Promise<Found> {
  const CHECKED = 'data-contrast-checked';
  const CONTRAST = 'color-contrast';
  const { axe } = globalThis as unknown as { axe: Axe };
  const backgrounds = new Map<Element, string>();
  const decided = new Set(known);
  const wayOf = new Map<Element, string>();
  const alike = new Map<string, Element[]>();
  const alone: Element[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const texts = [...element.childNodes].filter((node) => node.nodeType === 3 && node.nodeValue?.trim());
    if (texts.length === 0 && !element.matches('input, select, textarea')) continue;
    const way = texts.length > 0 ? describe(element, texts) : undefined;
    if (way === undefined) alone.push(element);
    else if (!decided.has(way)) {
      wayOf.set(element, way);
      alike.set(way, [...(alike.get(way) ?? []), element]);
    }
  }
  axe.configure({ rules: [{ id: CONTRAST, selector: `[${CHECKED}]` }] });
  axe.addReporter('found', (results, _options, answer) => {
    const contrast = results.find(({ id }) => id === CONTRAST);
    const waysOf = (nodes: RuleResult['passes'] = []) => [
      ...new Set(nodes.flatMap(({ node }) => wayOf.get(node.element) ?? [])),
    ];
    for (const way of waysOf([...(contrast?.passes ?? []), ...(contrast?.violations ?? [])]))
      decided.add(way);
    answer({
      faults: results
        .filter(({ violations }) => violations.length > 0)
        .map(
          ({ id, violations }) =>
            `${id}: ${violations.map(({ node }) => node.element.outerHTML.slice(0, 120)).join(' | ')}`,
        ),
      passed: waysOf(contrast?.passes),
    });
  });

  // The longest: of a single letter, axe can't tell.
  const length = (element: Element) => element.textContent.length;
  const groups = [...alike.values()].map((each) => each.sort((a, b) => length(b) - length(a)));
  const found = await run([...alone, ...groups.flatMap((each) => each.slice(0, 1))], { runOnly, rules });
  const undecided = [...wayOf].flatMap(([element, way]) => (decided.has(way) ? [] : [element]));
  const others = undecided.filter((element) => !groups.some(([first]) => first === element));
  if (others.length === 0) return found;
  const more = await run(others, { runOnly: { type: 'rule', values: [CONTRAST] }, rules });
  return { faults: [...found.faults, ...more.faults], passed: [...found.passed, ...more.passed] };

  async function run(checked: Element[], options: object): Promise<Found> {
    for (const element of checked) element.setAttribute(CHECKED, '');
    try {
      return (await axe.run(document, { ...options, reporter: 'found' })) as Found;
    } finally {
      for (const element of checked) element.removeAttribute(CHECKED);
    }
  }

  /**
   * Returns all that an element's contrast depends on: how its text is drawn, and what is beneath and above it wherever it has text. Undefined,
   * and so checked by itself, if it isn't there to be seen: outside of the window, or scrolled away.
   */
  function describe(element: Element, texts: readonly Node[]): string | undefined {
    const style = getComputedStyle(element);
    const way = [
      style.color,
      style.fontSize,
      style.fontWeight,
      style.textShadow,
      style.getPropertyValue('-webkit-text-stroke'),
      style.getPropertyValue('-webkit-text-fill-color'),
    ];
    for (const text of texts) {
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const { left, top, right, bottom } of range.getClientRects()) {
        const stack = document.elementsFromPoint((left + right) / 2, (top + bottom) / 2);
        if (!stack.includes(element)) return undefined;
        way.push('at', ...stack.map((each) => (each === element ? 'its own:' : '') + backgroundOf(each)));
      }
    }
    if (!way.includes('at')) return undefined;
    // What fades an element may be smaller than its contents.
    for (let outer = element.parentElement; outer !== null; outer = outer.parentElement)
      way.push(backgroundOf(outer));
    return way.join(';');
  }

  function backgroundOf(element: Element): string {
    const before = backgrounds.get(element);
    if (before !== undefined) return before;
    const { backgroundColor, backgroundImage, opacity, mixBlendMode, filter } = getComputedStyle(element);
    const background = [backgroundColor, backgroundImage, opacity, mixBlendMode, filter].join();
    const isNone = background === 'rgba(0, 0, 0, 0),none,1,normal,none';
    backgrounds.set(element, isNone ? '' : background);
    return isNone ? '' : background;
  }
}
