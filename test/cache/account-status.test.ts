import { expect, it } from 'vitest';
import { tokenOutlines, type TokensByType } from '../../src-main/cache/accounts.ts';
import { accountStatus, type Refusal } from '../../src-main/cache/account-status.ts';
import { hashText } from '../../src-main/cache/schema/match.ts';

const NOW = 1_800_000_000;
const HOUR = 3600;

interface Case {
  access?: { expires_on?: string; cached_at?: string; unknown_expiry?: string }[];
  refresh?: {
    expires_on?: string;
    cached_at?: string;
    client_id?: string;
    secret?: string;
    refusals?: unknown;
  }[];
  refusal?: Refusal;
}

const status = ({ access = [], refresh = [], refusal }: Case) =>
  accountStatus(
    tokenOutlines({ accessTokens: access, refreshTokens: refresh, idTokens: [] } as unknown as TokensByType),
    refusal ?? null,
    NOW,
  );
const at = (seconds: number) => String(NOW + seconds);
const refused: Refusal = { reason: 'refused', at: NOW - 60, code: 'invalid_grant' };

it.each<[string, Case, object]>([
  [
    'a refresh token renews it',
    { access: [{ expires_on: at(HOUR) }], refresh: [{}] },
    { state: 'renews', activeUntil: NOW + HOUR },
  ],
  [
    'until the last refresh token expires, and then it is active as without one',
    { access: [{ expires_on: at(3 * HOUR) }], refresh: [{ expires_on: at(60) }, { expires_on: at(HOUR) }] },
    {
      state: 'renews',
      activeUntil: NOW + 3 * HOUR,
      next: { at: NOW + HOUR, status: { state: 'active', until: NOW + 3 * HOUR } },
    },
  ],
  [
    'without an end where one of the refresh tokens has none',
    { access: [{ expires_on: at(HOUR) }], refresh: [{ expires_on: at(60) }, {}] },
    { state: 'renews', activeUntil: NOW + HOUR },
  ],
  [
    'also when its access tokens have expired',
    { access: [{ expires_on: at(-HOUR) }], refresh: [{}] },
    { state: 'renews', activeUntil: null },
  ],
  [
    'without one it is active until the last access token ends',
    { access: [{ expires_on: at(60) }, { expires_on: at(HOUR) }] },
    { state: 'active', until: NOW + HOUR },
  ],
  [
    'then it needs a sign-in, since that time',
    { access: [{ expires_on: at(-HOUR) }, { expires_on: at(-60) }] },
    { state: 'needs-sign-in', reason: 'expired', at: NOW - 60, code: null, activeUntil: null },
  ],
  [
    'an expired refresh token renews nothing',
    { access: [{ expires_on: at(-HOUR) }], refresh: [{ expires_on: at(-60) }] },
    { state: 'needs-sign-in', reason: 'expired', at: NOW - 60 },
  ],
  [
    'a refusal is told, though tokens are still good',
    { access: [{ expires_on: at(HOUR), cached_at: at(-HOUR) }], refresh: [{}], refusal: refused },
    {
      state: 'needs-sign-in',
      reason: 'refused',
      at: NOW - 60,
      code: 'invalid_grant',
      activeUntil: NOW + HOUR,
    },
  ],
  [
    'a refusal with nothing left',
    { access: [{ expires_on: at(-HOUR), cached_at: at(-2 * HOUR) }], refresh: [{}], refusal: refused },
    { state: 'needs-sign-in', reason: 'refused', activeUntil: null },
  ],
  [
    'what was cached after a refusal ends it',
    { access: [{ expires_on: at(HOUR), cached_at: at(-10) }], refresh: [{}], refusal: refused },
    { state: 'renews' },
  ],
  [
    'a refresh token that another program was refused renews nothing',
    {
      refresh: [
        {
          client_id: 'app',
          cached_at: at(-60),
          secret: 'rt',
          refusals: [{ client_id: 'app', secret: hashText('rt') }],
        },
      ],
    },
    { state: 'needs-sign-in', reason: 'refused', at: NOW - 60 },
  ],
  [
    'a refusal that concerns some scopes only leaves the rest',
    {
      refresh: [
        {
          client_id: 'app',
          secret: 'rt',
          refusals: [{ client_id: 'app', secret: hashText('rt'), scopes: 'mail' }],
        },
      ],
    },
    { state: 'renews' },
  ],
  [
    'a refusal of the secret before this one says nothing of this one',
    {
      refresh: [
        { client_id: 'app', secret: 'next', refusals: [{ client_id: 'app', secret: hashText('before') }] },
      ],
    },
    { state: 'renews' },
  ],
  [
    'a damaged list of refusals counts for nothing',
    { refresh: [{ client_id: 'app', secret: 'rt', refusals: [null, 7, { client_id: 'app' }] }] },
    { state: 'renews' },
  ],
  [
    'the 600 seconds that nobody told are not the end',
    { access: [{ expires_on: at(-60), unknown_expiry: at(-60), cached_at: at(-660) }] },
    { state: 'unknown' },
  ],
  [
    'nor are they a time until which it is active',
    { access: [{ expires_on: at(60), unknown_expiry: at(60) }, { expires_on: at(HOUR) }] },
    { state: 'unknown' },
  ],
  [
    'an expiry that another library has told since counts, whatever the mark says',
    { access: [{ expires_on: at(-60), unknown_expiry: at(-600) }] },
    { state: 'needs-sign-in', reason: 'expired', at: NOW - 60 },
  ],
  [
    'a token that was cached in the future is not counted on',
    { access: [{ expires_on: at(2 * HOUR), cached_at: at(HOUR) }] },
    { state: 'unknown' },
  ],
  ['nothing is claimed where no lifetime is known', { access: [{}] }, { state: 'unknown' }],
  ['nor where there is nothing', {}, { state: 'unknown' }],
  ['a damaged time is no time', { access: [{ expires_on: 'soon' }] }, { state: 'unknown' }],
])('%s', (_name, given, expected) => {
  expect(status(given)).toMatchObject(expected);
});
