/**
 * Who signs in, from where, to what: the organisations, people and apps that all vectors share. All are invented;
 * hosts are reserved example domains, but for the Microsoft clouds, whose names decide how a library behaves.
 */
import { guid } from './synthetic.mjs';

const PUBLIC_CLOUD = 'login.microsoftonline.com';
const US_CLOUD = 'login.microsoftonline.us';

/** The tenant in which personal Microsoft accounts live: the same for everyone, and known to the libraries. */
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';

export const TENANTS = {
  contoso: guid('tenant contoso'),
  fabrikam: guid('tenant fabrikam'),
  agency: guid('tenant agency'),
  personal: PERSONAL,
};

function tenantOn(host, tenant) {
  const base = `https://${host}/${tenant}`;
  const wellKnown = ['organizations', 'common'].includes(tenant);
  return {
    authority: base,
    openid: {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      issuer: `https://${host}/${wellKnown ? '{tenantid}' : tenant}/v2.0`,
    },
  };
}

function providerAt(base, { issuer = base, token = '/token', authorize = '/authorize' } = {}) {
  return {
    authority: base,
    known: true,
    openid: {
      token_endpoint: `${base}${token}`,
      authorization_endpoint: `${base}${authorize}`,
      device_authorization_endpoint: `${base}/devicecode`,
      end_session_endpoint: `${base}/logout`,
      jwks_uri: `${base}/keys`,
      issuer,
    },
  };
}

/** Identity providers by name: the authority an app is configured with, and what its discovery document says. */
export const PROVIDERS = {
  contoso: tenantOn(PUBLIC_CLOUD, TENANTS.contoso),
  fabrikam: tenantOn(PUBLIC_CLOUD, TENANTS.fabrikam),
  organizations: tenantOn(PUBLIC_CLOUD, 'organizations'),
  common: tenantOn(PUBLIC_CLOUD, 'common'),
  agency: tenantOn(US_CLOUD, TENANTS.agency),
  b2cSignIn: providerAt(`https://login.fabrikam.example/${TENANTS.fabrikam}/B2C_1A_SIGNUP_SIGNIN`, {
    issuer: `https://login.fabrikam.example/${TENANTS.fabrikam}/v2.0/`,
    token: '/oauth2/v2.0/token',
    authorize: '/oauth2/v2.0/authorize',
  }),
  b2cProfile: providerAt(`https://login.fabrikam.example/${TENANTS.fabrikam}/B2C_1A_PROFILE_EDIT`, {
    issuer: `https://login.fabrikam.example/${TENANTS.fabrikam}/v2.0/`,
    token: '/oauth2/v2.0/token',
    authorize: '/oauth2/v2.0/authorize',
  }),
  adfs: providerAt('https://fs.contoso.example/adfs', {
    token: '/oauth2/token',
    authorize: '/oauth2/authorize',
  }),
  generic: { ...providerAt('https://id.example.org/realms/staff'), generic: true },
};

/** What `https://login.microsoftonline.com/common/discovery/instance` answers. */
export const CLOUDS = {
  tenant_discovery_endpoint: `https://${PUBLIC_CLOUD}/{tenant}/v2.0/.well-known/openid-configuration`,
  'api-version': '1.1',
  metadata: [
    {
      preferred_network: PUBLIC_CLOUD,
      preferred_cache: 'login.windows.net',
      aliases: [PUBLIC_CLOUD, 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    },
    {
      preferred_network: US_CLOUD,
      preferred_cache: US_CLOUD,
      aliases: [US_CLOUD, 'login.usgovcloudapi.net'],
    },
  ],
};

function person(id, { tenant, name, username, ...rest }) {
  return { oid: guid(`person ${id}`), sub: id, tenant, name, username, ...rest };
}

export const PEOPLE = {
  avery: person('avery', {
    tenant: 'contoso',
    name: 'Avery Howard',
    username: 'avery.howard@contoso.example',
  }),
  zoe: person('zoe', { tenant: 'contoso', name: 'Zoë Åström', username: 'zoë.åström@contoso.example' }),
  kenji: person('kenji', { tenant: 'fabrikam', name: '田中 健二', username: 'kenji@fabrikam.example' }),
  morgan: person('morgan', {
    tenant: 'personal',
    name: 'Morgan Reyes',
    username: 'morgan.reyes@mail.example',
  }),
  priya: person('priya', { tenant: 'agency', name: 'Priya Nair', username: 'priya.nair@agency.example' }),
  dana: person('dana', { tenant: 'fabrikam', name: 'Dana Cole', username: 'dana.cole@mail.example' }),
  lee: person('lee', { tenant: 'adfs', name: 'Lee Park', username: 'lee.park@contoso.example' }),
  /** In no vector: signs in later. */
  quinn: person('quinn', { tenant: 'contoso', name: 'Quinn Adler', username: 'quinn.adler@contoso.example' }),
  sam: person('sam', { tenant: 'generic', name: 'Sam Okafor', username: 'sam.okafor@example.org' }),
};

export const APPS = {
  desk: { client_id: guid('app desk'), name: 'Contoso Desk' },
  mail: { client_id: guid('app mail'), name: 'Contoso Mail' },
  notes: { client_id: guid('app notes'), name: 'Contoso Notes' },
  shop: { client_id: guid('app shop'), name: 'Fabrikam Shop' },
  api: { client_id: guid('app api'), name: 'Contoso Orders API', secret: 'synthetic-client-secret' },
  nightly: { client_id: guid('app nightly'), name: 'Contoso Nightly', secret: 'synthetic-client-secret' },
};
