/** Which library wrote a document: told by its keys, and where they say nothing, by its layout. */
import { ENTITY_TYPES, type EntityType } from './entities.ts';
import { isRecord } from './json.ts';
import { keyOf } from './keys.ts';
import { type Layout, LAYOUTS, PROFILES, type Profile, ROOTS } from './profiles.ts';
import { isUnderstood } from './shapes.ts';

type Roots = Readonly<Record<string, unknown>>;

/** Entities looked at in each root: a document is written by one library, or by two or three that took turns. */
const SAMPLE = 40;

/** How many of the sampled keys a profile explains. */
function score(
  samples: readonly (readonly [EntityType, string, Readonly<Record<string, unknown>>])[],
): Map<Profile, number> {
  const scores = new Map<Profile, number>();
  for (const profile of PROFILES) {
    const explained = samples.filter(([type, key, entity]) => keyOf(type, entity, profile) === key);
    scores.set(profile, explained.length);
  }
  return scores;
}

/** The layout speaks for a profile whose roots come in this order, and that indents in this way. */
function resemblance(profile: Profile, roots: Roots, layout: Layout): number {
  const known = new Set<string>(ENTITY_TYPES);
  const order = Object.keys(roots).filter((name) => known.has(name));
  const expected = ROOTS[profile].filter((name) => order.includes(name));
  const sameOrder = order.every((name, index) => name === expected[index]);
  return (sameOrder ? 1 : 0) + (LAYOUTS[profile].indent === layout.indent ? 1 : 0);
}

/**
 * @param roots a document as it was parsed
 * @returns null where nothing in it tells: it is empty, or not from any of the libraries
 */
export function recognise(roots: Roots, layout: Layout): Profile | null {
  const samples = ENTITY_TYPES.flatMap((type) => {
    const entities = roots[type];
    if (!isRecord(entities)) return [];
    return Object.entries(entities)
      .slice(0, SAMPLE)
      .flatMap(([key, entity]) => (isUnderstood(type, entity) ? [[type, key, entity] as const] : []));
  });
  const scores = score(samples);
  const best = Math.max(...scores.values());
  if (best === 0 && !ENTITY_TYPES.some((type) => Object.hasOwn(roots, type))) return null;
  const candidates = PROFILES.filter((profile) => scores.get(profile) === best);
  const likeness = candidates.map((profile) => resemblance(profile, roots, layout));
  return candidates[likeness.indexOf(Math.max(...likeness))] ?? null;
}
