/**
 * [Note: what names an account] In data that is not understood, an account is named by its id, as any string or any
 * field's name, and by what begins with the id and a hyphen, as keys do. An id inside other text is not looked for: the
 * ids of generic providers may be as short as "1".
 *
 * Ids are given lower-cased, and compared in any case.
 */
import { isAccessor, isRecord } from './json.ts';
import { folded } from './schema/match.ts';

function names(text: string, id: string): boolean {
  if (text.length < id.length) return false;
  const lower = text.toLowerCase();
  return lower === id || lower.startsWith(`${id}-`);
}

/** The account that a record says it belongs to, lower-cased; "" for none. */
export function ownerOf(value: unknown): string {
  return isRecord(value) ? folded(value['home_account_id']) || folded(value['homeAccountId']) : '';
}

/** The fields of a record, without reading one that is computed. [Note: secrets stay sealed] */
function plainFields(record: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.keys(record).flatMap((name) => (isAccessor(record, name) ? [] : [[name, record[name]]]));
}

/**
 * Whether the account is named anywhere in the value, or by the name that it stands under. A record that says whose it
 * is belongs to that account and to no other, whatever else is in it.
 */
export function mentions(value: unknown, id: string, name = ''): boolean {
  const owner = ownerOf(value);
  if (owner !== '') return owner === id;
  if (names(name, id)) return true;
  if (typeof value === 'string') return names(value, id);
  if (Array.isArray(value)) return value.some((item) => mentions(item, id));
  return isRecord(value) && plainFields(value).some(([field, inner]) => mentions(inner, id, field));
}

/**
 * The value without what names the account: records that belong to it, fields under its name, strings that are its id.
 *
 * @param spare of what names the account, what is to stay all the same
 * @returns undefined where nothing of it may stay; the value itself where nothing has to go
 */
export function without(value: unknown, id: string, spare: (value: unknown) => boolean, name = ''): unknown {
  if (!mentions(value, id, name)) return value;
  if (typeof value === 'string' || names(name, id) || ownerOf(value) === id)
    return spare(value) ? value : undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => without(item, id, spare));
    if (items.every((item, index) => item === value[index])) return value;
    return Object.freeze(items.filter((item) => item !== undefined));
  }
  if (!isRecord(value)) return value;
  const fields = Object.keys(value).map((field): [string, unknown] => [
    field,
    without(value[field], id, spare, field),
  ]);
  if (fields.every(([field, inner]) => inner === value[field])) return value;
  return Object.freeze(Object.fromEntries(fields.filter(([, inner]) => inner !== undefined)));
}
