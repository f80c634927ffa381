import { type Change, Entry, placeOf } from '../cache/entry.ts';
import { isRecord } from '../cache/json.ts';
import { type EntityType, isEntityType } from '../cache/schema/entities.ts';
import { hashText } from '../cache/schema/match.ts';

/**
 * The kinds of findings, most severe first.
 *
 * @example
 * import { examine, FINDING_KINDS } from 'tokenkeep/doctor';
 *
 * const findings = await vault.read((cache) => examine(cache));
 * for (const kind of FINDING_KINDS) console.log(kind, findings.filter((finding) => finding.kind === kind).length);
 */
export const FINDING_KINDS = [
  'unreadable', // an entity that makes a library throw, or that no library finds
  'issuer-collision', // two issuers on one host, which MSAL libraries treat as one
  'duplicate-app', // app metadata stored twice, under aliases
  'duplicate-account', // a user stored twice for one tenant
  'duplicate-token', // an access or ID token stored twice, under keys of several libraries or under aliases
  'shadowed-refresh-token', // a refresh token superseded by a newer one
  'token-without-account',
  'account-without-tokens',
  'dead-weight', // access tokens that expired over a month ago
] as const;

/** The kind of a finding. */
export type FindingKind = (typeof FINDING_KINDS)[number];

/** A library that reads and writes cache documents. */
export type Library = 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' | 'Tokenkeep';

/** A consequence of a finding that is not repaired. */
export interface Cause {
  library: Library;
  /** A sentence to display; contains no names and no secrets. */
  says: string;
}

/** Identifies an entity, without its secret. A field is absent if the entity lacks it or its value is not a string. */
export interface EntityReference {
  type: EntityType;
  /** The key in the document. */
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

/** The changes that a repair makes, without secrets. */
export interface Difference {
  removed: readonly EntityReference[];
  added: readonly EntityReference[];
  /** The names of the fields that are written; never `secret`. */
  changed: readonly { entity: EntityReference; fields: readonly string[] }[];
}

/** A problem in the cache. */
export interface Finding {
  /** Stable as long as the entities do not change. */
  id: string;
  kind: FindingKind;
  /** A sentence that describes the problem, to display. */
  says: string;
  causes: readonly Cause[];
  /** The entities concerned; the one that a repair keeps comes first. */
  entities: readonly EntityReference[];
  /** The repair; null if every repair would remove a usable entry. */
  repair: Difference | null;
}

/**
 * Compares two findings for `sort`: the more severe one comes first.
 *
 * @example
 * import { accountsToExamine, bySeverity, examine } from 'tokenkeep/doctor';
 *
 * const findings = accountsToExamine(cache).flatMap((account) => examine(cache, { account }));
 * findings.sort(bySeverity);
 */
export function bySeverity(a: Finding, b: Finding): number {
  return FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind);
}

/** A finding with the changes that repair it. */
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

/** Creates a change that replaces the value of an entry, or removes the entry if `after` is undefined. */
export function change(entry: Entry, after?: unknown): Change {
  if (after === undefined) return { before: entry };
  return { before: entry, after: Entry.of(entry.section, entry.key, after) };
}

/** @param entries the entities concerned, including all that `changes` affect */
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

/** Describes changes without secrets. Unrecognized roots are omitted, as no repair changes them. */
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
