/** Detects which library wrote a document, by its keys and, if they are inconclusive, by its layout. */
import { ENTITY_TYPES, type EntityType } from '../schema/entities.ts';
import { isRecord } from '../json.ts';
import { keyOf } from '../schema/keys.ts';
import { type Layout, LAYOUTS, PROFILES, type Profile, ROOTS } from '../schema/dialects.ts';
import { isUnderstood } from '../schema/fields.ts';

type Roots = Readonly<Record<string, unknown>>;

/** Number of entities examined per root. A document is written by one library, or by two or three in turn. */
const SAMPLE = 40;

type Sample = readonly [EntityType, string, Readonly<Record<string, unknown>>];

function explains(profile: Profile, [type, key, entity]: Sample): boolean {
  return keyOf(type, entity, profile) === key;
}

/** If several libraries wrote a document, the layout is that of the last writer, whose profile explains keys that others do not. */
function isLastWriter(profile: Profile, samples: readonly Sample[], layout: Layout): boolean {
  if (LAYOUTS[profile].indent !== layout.indent) return false;
  const others = PROFILES.filter((other) => LAYOUTS[other].indent !== layout.indent);
  return samples.some(
    (sample) => explains(profile, sample) && !others.some((other) => explains(other, sample)),
  );
}

/** Whether the order of the roots and the indentation match the profile. */
function resemblance(profile: Profile, roots: Roots, layout: Layout): number {
  const known = new Set<string>(ENTITY_TYPES);
  const order = Object.keys(roots).filter((name) => known.has(name));
  const expected = ROOTS[profile].filter((name) => order.includes(name));
  const sameOrder = order.every((name, index) => name === expected[index]);
  return (sameOrder ? 1 : 0) + (LAYOUTS[profile].indent === layout.indent ? 1 : 0);
}

/**
 * @param roots the parsed document
 * @returns the profile, or null if the document is empty or not written by a known library
 */
export function recognise(roots: Roots, layout: Layout): Profile | null {
  const samples: Sample[] = ENTITY_TYPES.flatMap((type) => {
    const entities = roots[type];
    if (!isRecord(entities)) return [];
    return Object.entries(entities)
      .slice(0, SAMPLE)
      .flatMap(([key, entity]) => (isUnderstood(type, entity) ? [[type, key, entity] as const] : []));
  });
  const last = PROFILES.filter((profile) => isLastWriter(profile, samples, layout));
  const candidates = last.length > 0 ? last : PROFILES;
  const scores = candidates.map((profile) => samples.filter((sample) => explains(profile, sample)).length);
  const best = Math.max(...scores);
  if (best === 0 && !ENTITY_TYPES.some((type) => Object.hasOwn(roots, type))) return null;
  const equals = candidates.filter((_, index) => scores[index] === best);
  const likeness = equals.map((profile) => resemblance(profile, roots, layout));
  return equals[likeness.indexOf(Math.max(...likeness))] ?? null;
}
