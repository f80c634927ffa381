/** A provider's answers that two parsers may read differently. */
import { expect, it } from 'vitest';
import { discovered } from '../../../app/sign-in/provider.ts';

const ISSUER = 'https://id.example';
const metadata = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/keys`,
};
const find = (text: string) =>
  discovered(
    () => Promise.resolve(new Response(text, { headers: { 'content-type': 'application/json' } })),
    () => 0,
  )(ISSUER, 'app');

it('takes metadata that names each field once', async () => {
  expect((await find(JSON.stringify(metadata))).metadata.token_endpoint).toBe(`${ISSUER}/token`);
});

it.each(Object.keys(metadata))('refuses metadata that names %s twice', async (field) => {
  const text = JSON.stringify(metadata).replace('{', `{"${field}":"https://other.example/",`);
  await expect(find(text)).rejects.toMatchObject({ code: 'answer_invalid' });
});
