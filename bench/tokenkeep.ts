import { SerializableTokenCache } from '../src-main/index.ts';
import { app, type Person } from './generate.ts';
import type { Subject } from './subject.ts';

export function tokenkeep(person: (index: number) => Person): Subject {
  const cache = new SerializableTokenCache();
  const { client_id, tenant, environment, host } = app;
  return {
    deserialize: (text) => {
      cache.deserialize(text);
    },
    serialize: () => cache.serialize(),
    accounts: () => cache.accounts().length,
    find(index) {
      const { home_account_id, scopes } = person(index);
      const query = { home_account_id, environment, client_id, realm: tenant };
      const [token] = cache.find('AccessToken', { target: [...scopes], query });
      return String(token?.['secret']);
    },
    findByAccount(index) {
      const { home_account_id } = person(index);
      const [account] = cache.find('Account', { query: { home_account_id } });
      return String(account?.['username']);
    },
    add(index, response) {
      const token_endpoint = `https://${host}/${tenant}/oauth2/v2.0/token`;
      cache.add({ client_id, scope: [...person(index).scopes], token_endpoint, response });
    },
    signOut(index) {
      cache.signOut(person(index).home_account_id);
    },
  };
}
