/** A document in which several libraries have left their traces: what the doctor is for. Its secrets are made up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HOST = 'login.microsoftonline.com';
const ALIAS = 'login.windows.net';

/** An older refresh token in another library's form, an app twice, a token that makes MSAL Node fail, one without account. */
export function troubledDocument(folder: string): string {
  const ada = { home_account_id: 'ada.contoso', client_id: 'mail-assistant' };
  const refresh = (environment: string, secret: string, last_modification_time: string) => ({
    ...ada,
    environment,
    credential_type: 'RefreshToken',
    secret,
    target: 'read',
    last_modification_time,
  });
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
    RefreshToken: {
      [`ada.contoso-${HOST}-refreshtoken-mail-assistant--read`]: refresh(HOST, 'refresh-new', '1700000000'),
      [`ada.contoso-${ALIAS}-refreshtoken-mail-assistant----`]: refresh(ALIAS, 'refresh-old', '1600000000'),
    },
    AppMetadata: {
      [`appmetadata-${HOST}-mail-assistant`]: { client_id: 'mail-assistant', environment: HOST },
      [`appmetadata-${ALIAS}-mail-assistant`]: { client_id: 'mail-assistant', environment: ALIAS },
    },
  };
  const file = join(folder, 'troubled.json');
  writeFileSync(file, JSON.stringify(document));
  return file;
}
