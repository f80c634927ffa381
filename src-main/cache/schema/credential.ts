/**
 * When two entities denote one credential, whatever keys they are stored under and whatever libraries wrote them.
 * Both must be understood and of the type given.
 */
import type { Entity, EntityType } from './entities.ts';
import { sameEnvironment } from './environments.ts';
import { extensionOf } from './extension.ts';
import { folded, keyIdOf, schemeOf } from './match.ts';
import { sameScopes, scopesOverlap } from './scopes.ts';

type Same = (a: Entity, b: Entity) => boolean;

const sameField =
  (field: string): Same =>
  (a, b) =>
    a[field] === b[field] || folded(a[field]) === folded(b[field]);

const sameHome = sameField('home_account_id');
const sameClient = sameField('client_id');
const sameRealm = sameField('realm');

function text(entity: Entity, field: string): string {
  const value = entity[field];
  return typeof value === 'string' ? value : '';
}

const samePlace: Same = (a, b) =>
  sameHome(a, b) && sameEnvironment(text(a, 'environment'), text(b, 'environment'));

/** Same account, app and tenant, and the same kind of token: what a request tells apart before it looks at scopes. */
const sameSlot: Same = (a, b) =>
  sameClient(a, b) &&
  sameRealm(a, b) &&
  samePlace(a, b) &&
  schemeOf(a) === schemeOf(b) &&
  extensionOf(a) === extensionOf(b);

/** A refresh token without a target (MSAL Node, MSAL.NET) is for all that its app may ask. */
const sameRefreshTarget: Same = (a, b) => {
  const [left, right] = [text(a, 'target'), text(b, 'target')];
  return left === '' || right === '' || sameScopes(left, right);
};

const SAME: Readonly<Record<EntityType, Same>> = {
  AccessToken: (a, b) =>
    sameSlot(a, b) && keyIdOf(a) === keyIdOf(b) && sameScopes(text(a, 'target'), text(b, 'target')),
  RefreshToken: (a, b) => sameClient(a, b) && samePlace(a, b) && sameRefreshTarget(a, b),
  IdToken: (a, b) => sameClient(a, b) && sameRealm(a, b) && samePlace(a, b),
  Account: (a, b) => sameRealm(a, b) && samePlace(a, b),
  AppMetadata: (a, b) => sameClient(a, b) && samePlace(a, b),
};

export function sameCredential(type: EntityType, a: Entity, b: Entity): boolean {
  return SAME[type](a, b);
}

/**
 * Whether adding `fresh` makes `old` superfluous. Access tokens: any whose scopes overlap; and since the keys that
 * tokens are bound to come and go, one that was bound to another key, for the very same scopes.
 */
export function supersedes(type: EntityType, fresh: Entity, old: Entity): boolean {
  if (type !== 'AccessToken') return sameCredential(type, fresh, old);
  if (!sameSlot(fresh, old)) return false;
  const [target, oldTarget] = [text(fresh, 'target'), text(old, 'target')];
  if (keyIdOf(fresh) === keyIdOf(old)) return scopesOverlap(target, oldTarget);
  return keyIdOf(fresh) !== '' && keyIdOf(old) !== '' && sameScopes(target, oldTarget);
}
