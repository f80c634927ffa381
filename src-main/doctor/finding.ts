import { type EntityType, isEntityType } from '../cache/schema/entities.ts';
import { hashText } from '../cache/schema/extension.ts';
import { isRecord } from '../cache/json.ts';
import { type Change, placeOf } from '../cache/change.ts';
import { Entry } from '../cache/entry.ts';

/** Kinds of what several libraries leave in one cache, in the order in which they matter. */
export const FINDING_KINDS = [
  'unreadable', // makes a library throw, or is never found by any
  'issuer-collision', // two providers on one host, which MSAL libraries take for one
  'duplicate-app', // an app's metadata twice, under aliases
  'duplicate-account', // one user in one tenant twice
  'duplicate-token', // one access or ID token twice, under keys of several libraries or under aliases
  'shadowed-refresh-token', // an older refresh token beside a newer one that does all that it does
  'token-without-account',
  'account-without-tokens',
  'dead-weight', // expired for a month
] as const;

/** One of them. */
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Who reads and writes such documents. */
export type Library = 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' | 'Tokenkeep';

/** What comes of it if it stays. */
export interface Cause {
  library: Library;
  /** A sentence for people; no names, no secrets. */
  says: string;
}

/** An entity by what it is: everything but its secret. Absent: it has no such field, or not as text. */
export interface EntityReference {
  type: EntityType;
  /** The key it stands under in the document. */
  key: string;
  home_account_id?: string;
  environment?: string;
  issuer?: string;
  client_id?: string;
  realm?: string;
  target?: string;
  username?: string;
  expires_on?: string;
  last_modification_time?: string;
}

/** What a repair does, without secrets. */
export interface Difference {
  removed: readonly EntityReference[];
  added: readonly EntityReference[];
  /** Fields that are written, by name; never `secret`. */
  changed: readonly { entity: EntityReference; fields: readonly string[] }[];
}

/** One thing that is wrong with what is cached. */
export interface Finding {
  /** Stays the same for as long as the entities do. */
  id: string;
  kind: FindingKind;
  /** What is the matter, in a sentence for people. */
  says: string;
  causes: readonly Cause[];
  /** What it is about; what would stay comes first. */
  entities: readonly EntityReference[];
  /** null: nothing can be done that would not take something usable away. */
  repair: Difference | null;
}

/**
 * Compares two findings for `sort`: the more severe one comes first.
 *
 * @example
 * import { bySeverity } from 'tokenkeep/doctor';
 *
 * findings.sort(bySeverity);
 */
export function bySeverity(a: Finding, b: Finding): number {
  return FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind);
}

/** A finding with what repairs it. */
export interface Diagnosis {
  finding: Finding;
  changes: readonly Change[];
}

const FIELDS = [
  'home_account_id',
  'environment',
  'issuer',
  'client_id',
  'realm',
  'target',
  'username',
  'expires_on',
  'last_modification_time',
] as const;

function referenceTo(type: EntityType, key: string, value: unknown): EntityReference {
  const reference: EntityReference = { type, key };
  for (const field of FIELDS) {
    const text = isRecord(value) ? value[field] : undefined;
    if (typeof text === 'string') reference[field] = text;
  }
  return reference;
}

/** Leaves a value in a place, or nothing. */
export function change(entry: Entry, after?: unknown): Change {
  if (after === undefined) return { before: entry };
  return { before: entry, after: Entry.of(entry.section, entry.key, after) };
}

/** @param entries what it is about; they are the changes' places, and perhaps more */
export function diagnosis(
  kind: FindingKind,
  says: string,
  causes: readonly Cause[],
  entries: readonly Entry<EntityType>[],
  changes: readonly Change[],
): Diagnosis {
  const entities = entries.map(({ section, key, value }) => referenceTo(section, key, value));
  const finding = {
    id: hashText(JSON.stringify([kind, entities])).slice(0, 22),
    kind,
    says,
    causes,
    entities,
    repair: changes.length === 0 ? null : differenceOf(changes),
  };
  return { finding, changes };
}

/** What changes do, without secrets. Those of roots that are not understood are not told: no repair makes any. */
export function differenceOf(changes: readonly Change[]): Difference {
  const removed: EntityReference[] = [];
  const added: EntityReference[] = [];
  const changed: { entity: EntityReference; fields: string[] }[] = [];
  for (const change of changes) {
    const [before, after] = [change.before?.value, change.after?.value];
    const { section, key } = placeOf(change);
    if (key === null || !isEntityType(section)) continue;
    if (after === undefined) removed.push(referenceTo(section, key, before));
    else if (before === undefined) added.push(referenceTo(section, key, after));
    else changed.push({ entity: referenceTo(section, key, after), fields: fieldsChanged(before, after) });
  }
  return { removed, added, changed };
}

function fieldsChanged(before: unknown, after: unknown): string[] {
  const [old, fresh] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  const names = new Set([...Object.keys(old), ...Object.keys(fresh)]);
  names.delete('secret'); // [Note: secrets stay sealed]
  return [...names].filter((name) => old[name] !== fresh[name]);
}
