/** Detects which library wrote a document, by its keys and, if they are inconclusive, by its layout. */
import { ENTITY_TYPES, type EntityType } from '../schema/entities.ts';
import { isRecord } from '../json.ts';
import { type Dialect, DIALECTS, keyOf, type Layout, LAYOUTS, ROOTS } from '../schema/dialects.ts';
import { isUnderstood } from '../schema/fields.ts';

type Roots = Readonly<Record<string, unknown>>;

/** Number of entities examined per root. A document is written by one library, or by two or three in turn. */
const SAMPLE = 40;

type Sample = readonly [EntityType, string, Readonly<Record<string, unknown>>];

function explains(dialect: Dialect, [type, key, entity]: Sample): boolean {
  return keyOf(type, entity, dialect) === key;
}

/** If several libraries wrote a document, the layout is that of the last writer, whose dialect explains keys that others do not. */
function isLastWriter(dialect: Dialect, samples: readonly Sample[], layout: Layout): boolean {
  if (LAYOUTS[dialect].indent !== layout.indent) return false;
  const others = DIALECTS.filter((other) => LAYOUTS[other].indent !== layout.indent);
  return samples.some(
    (sample) => explains(dialect, sample) && !others.some((other) => explains(other, sample)),
  );
}

/** Whether the order of the roots and the indentation match the dialect. */
function resemblance(dialect: Dialect, roots: Roots, layout: Layout): number {
  const known = new Set<string>(ENTITY_TYPES);
  const order = Object.keys(roots).filter((name) => known.has(name));
  const expected = ROOTS[dialect].filter((name) => order.includes(name));
  const sameOrder = order.every((name, index) => name === expected[index]);
  return (sameOrder ? 1 : 0) + (LAYOUTS[dialect].indent === layout.indent ? 1 : 0);
}

/**
 * @param roots the parsed document
 * @returns the dialect, or null if the document is empty or not written by a known library
 */
export function recognise(roots: Roots, layout: Layout): Dialect | null {
  const samples: Sample[] = ENTITY_TYPES.flatMap((type) => {
    const entities = roots[type];
    if (!isRecord(entities)) return [];
    return Object.entries(entities)
      .slice(0, SAMPLE)
      .flatMap(([key, entity]) => (isUnderstood(type, entity) ? [[type, key, entity] as const] : []));
  });
  const last = DIALECTS.filter((dialect) => isLastWriter(dialect, samples, layout));
  const candidates = last.length > 0 ? last : DIALECTS;
  const scores = candidates.map((dialect) => samples.filter((sample) => explains(dialect, sample)).length);
  const best = Math.max(...scores);
  if (best === 0 && !ENTITY_TYPES.some((type) => Object.hasOwn(roots, type))) return null;
  const equals = candidates.filter((_, index) => scores[index] === best);
  const likeness = equals.map((dialect) => resemblance(dialect, roots, layout));
  return equals[likeness.indexOf(Math.max(...likeness))] ?? null;
}
