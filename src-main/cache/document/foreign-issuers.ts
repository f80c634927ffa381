/**
 * Keeps a document that anybody may have written from telling whose the vault's tokens are: an entry without an issuer gets it from the
 * entries beside it (`issuerFor`), so what is imported for the same account must not say it.
 */
import { identitiesOf, issuerFor } from '../accounts.ts';
import { copyWith, folded, textOf } from '../json.ts';
import { cloudOf, isMicrosoft, isMsals, issuerIn, issuerSaidBy, sameIssuer } from '../schema/authorities.ts';
import type { Entity, EntityOf, EntityType } from '../schema/entities.ts';
import type { Store } from '../store.ts';

/** Returns an entity as it is taken over; null if it is left out. */
export type Admit = <T extends EntityType>(type: T, entity: EntityOf[T]) => EntityOf[T] | null;

/** Takes everything as it is: the entries come from a sign-in of this program. */
export const asItIs: Admit = (_type, entity) => entity;

/**
 * Returns what to take of each imported entity. An issuer that the vault does not know for the account is stored with each entity that it
 * is the issuer of, so that it is nobody else's. Where the vault has tokens of the account and no issuer for them, none is taken.
 */
export function admission(into: Store, from: Store): Admit {
  const known = new Map<string, readonly string[] | null>();
  /** The issuers of the account in the vault; null if it has no tokens. */
  const knownFor = (home: string, host: string): readonly string[] | null => {
    const name = JSON.stringify([folded(home), host]);
    let issuers = known.get(name);
    if (issuers === undefined) known.set(name, (issuers = issuersOf(into, home, host)));
    return issuers;
  };
  return (type, entity) => {
    const fields: Entity = entity;
    const home = textOf(fields['home_account_id']);
    if (type === 'AppMetadata' || home === '') return entity;
    const without = (): typeof entity =>
      (fields['issuer'] === undefined ? entity : copyWith(fields, { issuer: undefined })) as typeof entity;
    const environment = textOf(fields['environment']);
    const issuersHere = (): readonly string[] | null => knownFor(home, cloudOf(environment));
    if (isMsals(fields)) {
      // What calls itself ADFS's would replace the entry that proves the issuer.
      return !isMicrosoft(environment) && (issuersHere()?.length ?? 0) > 0 ? null : without();
    }
    const said = type === 'IdToken' ? issuerIn(fields) || issuerSaidBy(fields) : issuerFor(from, fields);
    if (said === '') return entity;
    const issuers = issuersHere();
    if (issuers === null) return entity;
    if (issuers.length === 0) return type === 'IdToken' && issuerSaidBy(fields) !== '' ? null : without();
    const [only = '', ...others] = issuers;
    const isTheirs = others.length === 0 && sameIssuer(only, said);
    return isTheirs || issuerIn(fields) !== ''
      ? entity
      : (copyWith(fields, { issuer: said }) as typeof entity);
  };
}

function issuersOf(store: Store, home: string, host: string): readonly string[] | null {
  const here = identitiesOf(store, home)
    .map(({ issuer, items }) => ({
      issuer,
      items: items.filter((item) => cloudOf(item['environment']) === host),
    }))
    .filter(({ items }) => items.length > 0);
  if (!here.some(({ items }) => items.some((item) => 'secret' in item))) return null;
  return here.flatMap(({ issuer }) => (issuer === '' ? [] : [issuer]));
}
