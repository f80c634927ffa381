/**
 * The table of the schema: required and optional fields, their kinds, and the message if one is invalid. An entity without
 * faults is understood. Everything else in a document is kept unchanged and never matched.
 *
 * The table is as tolerant as the most tolerant MSAL library: the section determines the type, times may be numbers, and
 * fields that no library needs may be missing.
 */
import type { EntityOf, EntityType } from './entities.ts';
import { GRANT, type GrantItem, type Section } from './grants.ts';
import { isAccessor, isRecord } from '../json.ts';

/** The kind of a field's value. */
type Kind =
  | 'text' // any string
  | 'filled' // a string that is not empty
  | 'time' // seconds since the epoch, as a number or as decimal digits
  | 'secret' // a string that is not empty, or an accessor that returns one
  | 'type'; // the name of the section, in any spelling

interface Field {
  readonly name: string;
  readonly kind: Kind;
  /** Whether it may be missing or null. */
  readonly optional: boolean;
}

const required = (kind: Kind, ...names: string[]): Field[] =>
  names.map((name) => ({ name, kind, optional: false }));
const optional = (kind: Kind, ...names: string[]): Field[] =>
  names.map((name) => ({ name, kind, optional: true }));

/** The fields of each entity type, and of grants. Other fields may have any value. */
const FIELDS: Readonly<Record<Section, readonly Field[]>> = {
  AccessToken: [
    ...optional('type', 'credential_type'),
    ...required('secret', 'secret'),
    ...required('filled', 'environment', 'client_id'),
    ...required('text', 'target'),
    ...required('time', 'expires_on'),
    ...optional('text', 'home_account_id', 'realm', 'token_type', 'key_id', 'issuer'),
    ...optional('time', 'cached_at', 'extended_expires_on', 'refresh_on'),
  ],
  RefreshToken: [
    ...optional('type', 'credential_type'),
    ...required('secret', 'secret'),
    ...required('filled', 'home_account_id', 'environment', 'client_id'),
    ...optional('text', 'target', 'family_id', 'issuer'),
    ...optional('time', 'last_modification_time'),
  ],
  IdToken: [
    ...optional('type', 'credential_type'),
    ...required('secret', 'secret'),
    ...required('filled', 'home_account_id', 'environment', 'client_id'),
    ...optional('text', 'realm', 'issuer'),
  ],
  Account: [
    ...required('filled', 'home_account_id', 'environment'),
    ...optional('text', 'realm', 'local_account_id', 'username', 'authority_type', 'issuer'),
  ],
  AppMetadata: [...required('filled', 'environment', 'client_id'), ...optional('text', 'family_id')],
  [GRANT]: [
    ...required('secret', 'secret'),
    ...required('filled', 'home_account_id', 'environment', 'authority', 'client_id', 'label'),
    ...required('text', 'holds'),
    ...optional('text', 'issuer', 'username', 'name', 'target'),
  ],
};

/** Whether a root of a cache document holds items under keys, which belong to accounts. */
export function isSection(section: string): section is Section {
  return Object.hasOwn(FIELDS, section);
}

const SECONDS = /^\d{1,15}$/;

/** Normalizes the spelling of a type's name: MSAL Go writes `IDToken`. */
function spelled(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase().replace(/[^a-z]/g, '') : '';
}

/** `credential_type`s that show that an entity is in the wrong section. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  AccessToken: ['refreshtoken', 'idtoken', 'account', 'appmetadata'],
  RefreshToken: ['accesstoken', 'accesstokenwithauthscheme', 'atext', 'idtoken', 'account', 'appmetadata'],
  IdToken: ['accesstoken', 'accesstokenwithauthscheme', 'atext', 'refreshtoken', 'account', 'appmetadata'],
};

function holds(
  type: Section,
  entity: Readonly<Record<string, unknown>>,
  { name, kind, optional: may }: Field,
): boolean {
  // [Note: secrets stay sealed] An accessor is not read.
  if (kind === 'secret' && isAccessor(entity, name)) return true;
  const value = entity[name];
  if (value === undefined || value === null) return may;
  if (kind === 'time' && typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  if (typeof value !== 'string') return false;
  if (kind === 'text') return true;
  if (kind === 'time') return SECONDS.test(value);
  if (kind === 'type') return value === type || OTHERS[type]?.includes(spelled(value)) !== true;
  return value !== '';
}

/** Returns whether a value is a valid entity of the type, or a grant. */
export function isUnderstood<T extends Section>(
  type: T,
  value: unknown,
): value is T extends EntityType ? EntityOf[T] : GrantItem {
  if (!isRecord(value)) return false;
  for (const field of FIELDS[type]) if (!holds(type, value, field)) return false;
  return true;
}

const WRONG: Readonly<Record<Kind, string>> = {
  text: 'is not text',
  filled: 'is not text',
  secret: 'is not text',
  time: 'is not a number of seconds',
  type: 'names another type of entity',
};

/** An invalid field and its fault. */
export interface FieldFault {
  /** "" if the value is not an object. */
  readonly field: string;
  /** For example "`expires_on` is not a number of seconds". */
  readonly message: string;
}

/** Returns the faults of a value as an entity of the type; empty if it is valid. Does not open sealed secrets. */
export function faultsOf(type: EntityType, value: unknown): FieldFault[] {
  if (!isRecord(value)) return [{ field: '', message: `it is not an entity of type ${type}` }];
  return FIELDS[type]
    .filter((field) => !holds(type, value, field))
    .map(({ name, kind }) => {
      const found = value[name];
      const problem =
        found === undefined || found === null ? 'is missing' : found === '' ? 'is empty' : WRONG[kind];
      return { field: name, message: `\`${name}\` ${problem}` };
    });
}
