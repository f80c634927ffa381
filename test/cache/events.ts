/** Token responses as tests need them. */
import type { TokenResponseEvent } from '../../src-main/cache/response.ts';

export function base64url(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** An unsigned JWT with these claims. */
export function jwt(claims: object): string {
  return `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(claims)}.`;
}

export interface Person {
  uid?: string;
  utid?: string;
  claims?: object;
}

export const PERSON: Required<Person> = {
  uid: 'uid',
  utid: 'utid',
  claims: {
    oid: 'object1234',
    sub: 'subject',
    preferred_username: 'john.doe@contoso.example',
    name: 'John Doe',
  },
};

/** The response and endpoint of the conformance cases: `login.example.com`, tenant `contoso`. */
export function signIn(
  response: Record<string, unknown> = {},
  event: Partial<TokenResponseEvent> = {},
  { uid = PERSON.uid, utid = PERSON.utid, claims = PERSON.claims }: Person = {},
): TokenResponseEvent {
  return {
    client_id: 'my_client_id',
    scope: ['s2', 's1', 's3'],
    token_endpoint: 'https://login.example.com/contoso/v2/token',
    ...event,
    response: {
      access_token: 'an access token',
      refresh_token: 'a refresh token',
      id_token: jwt(claims),
      client_info: base64url({ uid, utid }),
      token_type: 'Bearer',
      expires_in: 3600,
      ...response,
    },
  };
}
