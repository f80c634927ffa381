import { expect, it } from 'vitest';
import { everywherePage } from '../../src-main/sources/index.ts';

const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';

it.each([
  ['a work account', 'login.windows.net', 'u.t', 'https://myaccount.microsoft.com'],
  ['a work account, under an alias', 'login.microsoftonline.com', 'u.t', 'https://myaccount.microsoft.com'],
  ['the US government', 'login.microsoftonline.us', 'u.t', 'https://myaccount.microsoft.us'],
  ['China', 'login.partner.microsoftonline.cn', 'u.t', 'https://myaccount.windowsazure.cn'],
  [
    'a personal account',
    'login.windows.net',
    `u.${PERSONAL.toUpperCase()}`,
    'https://account.microsoft.com/security',
  ],
  ['Azure AD B2C', 'contoso.b2clogin.com', 'u.t', undefined],
  ['Entra External ID', 'contoso.ciamlogin.com', 'u.t', undefined],
  ['a cloud whose page is not known', 'login.sovcloud-identity.fr', 'u.t', undefined],
  ['another provider', 'id.contoso.example', 'u', undefined],
  ['a name that objects have', 'constructor', 'u', undefined],
])('%s is signed out on all devices at its own page', (_, environment, home_account_id, url) => {
  expect(everywherePage({ home_account_id, environment })?.url).toBe(url);
});
