/** A small, good cache document to spoil, and how to say what must become of it. */
import { guid, jwt } from './synthetic.mjs';

export const H = `${guid('person hostile')}.${guid('tenant hostile')}`;
export const E = 'login.windows.net';
export const C = guid('app hostile');
export const R = guid('tenant hostile');
const T = 'User.Read openid profile';

export const account = (changes = {}) => ({
  home_account_id: H,
  environment: E,
  realm: R,
  local_account_id: guid('person hostile'),
  username: 'robin@contoso.example',
  authority_type: 'MSSTS',
  ...changes,
});

export const accessToken = (changes = {}) => ({
  credential_type: 'AccessToken',
  secret: 'synthetic-access-token',
  home_account_id: H,
  environment: E,
  client_id: C,
  target: T,
  realm: R,
  token_type: 'Bearer',
  cached_at: '1780315200',
  expires_on: '1780318800',
  extended_expires_on: '1780318800',
  ...changes,
});

export const refreshToken = (changes = {}) => ({
  credential_type: 'RefreshToken',
  secret: 'synthetic-refresh-token',
  home_account_id: H,
  environment: E,
  client_id: C,
  target: T,
  last_modification_time: '1780315200',
  ...changes,
});

export const idToken = (changes = {}) => ({
  credential_type: 'IdToken',
  secret: jwt({ aud: C, sub: 'synthetic', name: 'Robin', preferred_username: 'robin@contoso.example' }),
  home_account_id: H,
  environment: E,
  realm: R,
  client_id: C,
  ...changes,
});

export const without = (entity, field) =>
  Object.fromEntries(Object.entries(entity).filter(([name]) => name !== field));

/** The order of entries must not matter, so keys here say what is odd about an entry and nothing else. */
export const odd = (entities) =>
  Object.fromEntries(Object.entries(entities).map(([why, entity]) => [`odd ${why}`, entity]));

export const good = () => ({
  AccessToken: { [`${H}-${E}-accesstoken-${C}-${R}-${T.toLowerCase()}`]: accessToken() },
  Account: { [`${H}-${E}-${R}`]: account() },
  IdToken: { [`${H}-${E}-idtoken-${C}-${R}-`]: idToken() },
  RefreshToken: { [`${H}-${E}-refreshtoken-${C}--${T.toLowerCase()}`]: refreshToken() },
  AppMetadata: { [`appmetadata-${E}-${C}`]: { client_id: C, environment: E } },
});

/** The good document with more entries in its sections, and more roots. */
export function also(sections) {
  const root = good();
  for (const [name, entries] of Object.entries(sections)) root[name] = { ...root[name], ...entries };
  return root;
}

export const utf8 = (text) => Buffer.from(text, 'utf8');
export const json = (value) => utf8(`${JSON.stringify(value, null, 2)}\n`);

export const refused = (file, code, bytes, note) => ({ file, bytes: Buffer.from(bytes), error: code, note });

/** `more` says what is understood beyond (or short of) the five entities of the good document. */
export const taken = (file, bytes, { more = {}, entries = 0, roots = 0 }, note) => ({
  file,
  bytes,
  understood: Object.fromEntries(
    ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'].map((type) => [
      type,
      1 + (more[type] ?? 0),
    ]),
  ),
  kept: { entries, roots },
  note,
});
