/** A document with problems that several libraries have caused, for the doctor. Its secrets are made up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HOST = 'login.microsoftonline.com';

/** A token that makes MSAL Node fail, and one of a user who is not in the cache; both expired long ago. */
export function troubledDocument(folder: string): string {
  const ada = { home_account_id: 'ada.contoso', client_id: 'mail-assistant' };
  const access = (home_account_id: string, target: string | null) => ({
    ...ada,
    home_account_id,
    environment: HOST,
    realm: 'contoso',
    credential_type: 'AccessToken',
    token_type: 'Bearer',
    secret: `access-${home_account_id}-${String(target)}`,
    target,
    cached_at: '1700000000',
    expires_on: '1700003600',
    extended_expires_on: '1700003600',
  });
  const document = {
    Account: {
      [`ada.contoso-${HOST}-contoso`]: {
        home_account_id: 'ada.contoso',
        environment: HOST,
        realm: 'contoso',
        local_account_id: 'ada',
        username: 'ada@contoso.example',
        authority_type: 'MSSTS',
      },
    },
    AccessToken: {
      [`ada.contoso-${HOST}-accesstoken-mail-assistant-contoso-`]: access('ada.contoso', null),
      [`gone.contoso-${HOST}-accesstoken-mail-assistant-contoso-read`]: access('gone.contoso', 'read'),
    },
  };
  const file = join(folder, 'troubled.json');
  writeFileSync(file, JSON.stringify(document));
  return file;
}
