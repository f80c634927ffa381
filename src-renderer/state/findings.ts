import type { Difference, EntityReference, Finding, FindingKind } from '../../src-main/ipc/contract.ts';
import { shortId, visible } from './text.ts';
import { appName } from './wellKnown.ts';
import { count, listing } from './words.ts';

export interface FindingGroup {
  kind: FindingKind;
  title: string;
  findings: readonly Finding[];
}

const TITLES: Readonly<Record<FindingKind, string>> = {
  unreadable: 'Entries that a library can’t read',
  'duplicate-app': 'Apps that are there twice',
  'duplicate-account': 'Accounts that are there twice',
  'duplicate-token': 'Tokens that are there twice',
  'shadowed-refresh-token': 'Refresh tokens in the shadow of newer ones',
  'token-without-account': 'Tokens without an account',
  'account-without-tokens': 'Accounts without tokens',
  'dead-weight': 'Long expired',
};

/** By kind, in the order in which they matter, which is the order they come in. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const groups = new Map<FindingKind, Finding[]>();
  for (const finding of findings) {
    const group = groups.get(finding.kind);
    if (group === undefined) groups.set(finding.kind, [finding]);
    else group.push(finding);
  }
  return [...groups].map(([kind, all]) => ({ kind, title: TITLES[kind], findings: all }));
}

/** All that these findings would do. An entity that two of them are about is named once. */
export function differenceOf(findings: readonly Finding[]): Difference {
  const once = <T>(all: readonly T[], entityOf: (item: T) => EntityReference): T[] => {
    const byPlace = new Map<string, T>();
    for (const item of all) {
      const { type, key } = entityOf(item);
      byPlace.set(JSON.stringify([type, key]), item);
    }
    return [...byPlace.values()];
  };
  const all = findings.flatMap(({ repair }) => repair ?? []);
  const self = (entity: EntityReference): EntityReference => entity;
  return {
    removed: once(
      all.flatMap(({ removed }) => removed),
      self,
    ),
    added: once(
      all.flatMap(({ added }) => added),
      self,
    ),
    changed: once(
      all.flatMap(({ changed }) => changed),
      ({ entity }) => entity,
    ),
  };
}

/** "3 entries removed and 1 changed". */
export function differenceWords({ removed, added, changed }: Difference): string {
  const parts: string[] = [];
  const add = (n: number, did: string) => {
    if (n > 0) parts.push(`${parts.length === 0 ? count(n, 'entry', 'entries') : String(n)} ${did}`);
  };
  add(removed.length, 'removed');
  add(changed.length, 'changed');
  add(added.length, 'added');
  return parts.length === 0 ? 'nothing was left to do' : listing(parts);
}

const KINDS: Readonly<Record<EntityReference['type'], string>> = {
  AccessToken: 'Access token',
  RefreshToken: 'Refresh token',
  IdToken: 'ID token',
  Account: 'Account',
  AppMetadata: 'App metadata',
};

/** An entity in a line: what it is, whose, of which app, where. */
export function entityWords(entity: EntityReference): { what: string; details: string } {
  const { type, username, home_account_id, client_id, realm, environment, target } = entity;
  const details = [
    username || (home_account_id ? shortId(home_account_id) : ''),
    client_id ? (appName(client_id) ?? `app ${shortId(client_id)}`) : '',
    target ?? '',
    realm ? `tenant ${shortId(realm)}` : '',
    environment ?? '',
  ];
  return {
    what: KINDS[type],
    details: details
      .filter((text) => text !== '')
      .map(visible)
      .join(' · '),
  };
}
