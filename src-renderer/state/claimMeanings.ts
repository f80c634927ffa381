/**
 * Meanings of token claims, from RFC 7519 §4.1, RFC 7515 §4.1 (header), RFC 7800, RFC 8693 §4, RFC 9068, OpenID
 * Connect Core 1.0 §2, §3.1.3.6, §5.1 and Front-Channel Logout, and Microsoft's "Access token claims reference"
 * and "ID token claims reference". Other claims are shown without a meaning.
 */

/** How to read the value: as seconds since the epoch, as the ID of an API or app, or as text. */
export type ClaimReading = 'time' | 'resource' | 'app' | 'plain';

export interface ClaimMeaning {
  says: string;
  reading: ClaimReading;
  /** Meanings of coded values. */
  codes?: ReadonlyMap<string, string>;
}

const time = (says: string): ClaimMeaning => ({ says, reading: 'time' });
const plain = (says: string): ClaimMeaning => ({ says, reading: 'plain' });
const coded = (says: string, codes: Record<string, string>): ClaimMeaning => ({
  says,
  reading: 'plain',
  codes: new Map(Object.entries(codes)),
});

/** Values of `amr`: RFC 8176 §2, and those that Microsoft adds. */
const METHODS = {
  pwd: 'password',
  mfa: 'multi-factor',
  otp: 'one-time code',
  sms: 'text message',
  tel: 'phone call',
  pin: 'PIN',
  fpt: 'fingerprint',
  face: 'face',
  iris: 'iris',
  vbm: 'voice',
  hwk: 'hardware key',
  swk: 'software key',
  sc: 'smart card',
  fido: 'security key',
  rsa: 'certificate or app',
  wia: 'Windows sign-in',
  kba: 'security questions',
  geo: 'location',
  rba: 'risk check',
  mca: 'multiple channels',
  user: 'user presence',
  ngcmfa: 'multi-factor device',
};

const PROOFS = { '0': 'none (public client)', '1': 'client secret', '2': 'certificate' };

export const PAYLOAD: ReadonlyMap<string, ClaimMeaning> = new Map<string, ClaimMeaning>([
  // RFC 7519
  ['iss', plain('Issuer')],
  ['sub', plain('Subject: the user ID for this app')],
  ['aud', { says: 'Audience', reading: 'resource' }],
  ['exp', time('Expires')],
  ['nbf', time('Not valid before')],
  ['iat', time('Issued')],
  ['jti', plain('Token ID')],
  // OpenID Connect Core: the ID token
  ['auth_time', time('User signed in')],
  ['nonce', plain('Binds the token to the request')],
  ['acr', plain('Authentication context class: strength of the sign-in')],
  ['amr', coded('How the user signed in', METHODS)],
  ['azp', { says: 'App that asked for the token', reading: 'app' }],
  ['at_hash', plain('Hash of the access token')],
  ['c_hash', plain('Hash of the authorization code')],
  ['s_hash', plain('Hash of the state')],
  ['sid', plain('Session ID at the provider')],
  // OpenID Connect Core §5.1: about the user
  ['name', plain('Full name')],
  ['given_name', plain('Given name')],
  ['family_name', plain('Family name')],
  ['middle_name', plain('Middle name')],
  ['nickname', plain('Nickname')],
  ['preferred_username', plain('Username; may change, don’t use as a key')],
  ['profile', plain('Profile page')],
  ['picture', plain('Picture')],
  ['website', plain('Website')],
  ['email', plain('Email address')],
  ['email_verified', plain('Email address verified by the provider')],
  ['gender', plain('Gender')],
  ['birthdate', plain('Date of birth')],
  ['zoneinfo', plain('Time zone')],
  ['locale', plain('Language and region')],
  ['phone_number', plain('Phone number')],
  ['phone_number_verified', plain('Phone number verified by the provider')],
  ['address', plain('Postal address')],
  ['updated_at', time('User information updated')],
  // OAuth: RFC 8693, RFC 9068, RFC 7800
  ['scope', plain('What the app may do')],
  ['client_id', { says: 'App that asked for the token', reading: 'app' }],
  ['act', plain('Actor: who acts for the user')],
  ['may_act', plain('Who may act for the user')],
  ['cnf', plain('Confirmation: key that the holder must prove possession of')],
  ['groups', plain('Groups of the user')],
  ['roles', plain('Roles of the user or app')],
  ['entitlements', plain('Entitlements of the user')],
  // Microsoft: access and ID tokens
  ['aio', plain('Internal to Microsoft')],
  ['rh', plain('Internal to Microsoft')],
  ['uti', plain('Token ID in the sign-in logs')],
  ['xms_ftd', plain('Internal to Microsoft')],
  ['xms_tdbr', plain('Region of the tenant')],
  ['appid', { says: 'App that asked for the token', reading: 'app' }],
  ['app_displayname', plain('Name of the app')],
  ['appidacr', coded('Client authentication', PROOFS)],
  ['azpacr', coded('Client authentication', PROOFS)],
  ['idtyp', coded('Token type', { app: 'app without a user', user: 'user', device: 'device' })],
  ['idp', plain('Identity provider, if not the issuer')],
  ['oid', plain('Object ID in the tenant; use as a key')],
  ['tid', plain('Tenant')],
  ['puid', plain('Internal user ID')],
  ['altsecid', plain('User ID at another provider')],
  ['scp', plain('What the app may do')],
  ['upn', plain('User principal name; may change, don’t use as a key')],
  ['unique_name', plain('Display name; not unique, don’t use as a key')],
  ['ver', plain('Token version')],
  ['wids', plain('Directory roles of the user (template IDs)')],
  ['hasgroups', plain('Too many groups to list: ask Microsoft Graph')],
  ['_claim_names', plain('Claims available elsewhere')],
  ['_claim_sources', plain('Where to get those claims')],
  ['ipaddr', plain('IP address of the user')],
  ['acct', coded('User in this tenant', { '0': 'member', '1': 'guest' })],
  ['acrs', plain('Sign-in conditions met')],
  ['ctry', plain('Country of the user')],
  ['tenant_ctry', plain('Country of the tenant')],
  ['tenant_region_scope', plain('Region of the tenant')],
  ['verified_primary_email', plain('Verified primary email addresses')],
  ['verified_secondary_email', plain('Verified secondary email addresses')],
  ['login_hint', plain('Login hint for the next sign-in')],
  ['xms_st', plain('Other subjects of the user')],
  ['xms_cc', plain('Client capabilities; cp1: claims challenges')],
  ['xms_mirid', plain('Managed identity')],
  ['xms_idrel', plain('Relation of the user or app to the tenant')],
  ['xms_pl', plain('Preferred language of the user')],
  ['xms_tcdt', time('Tenant created')],
  ['platf', plain('Device platform')],
  ['deviceid', plain('Device ID')],
  ['signin_state', plain('Sign-in state: known device, kept signed in, …')],
  ['onprem_sid', plain('Security ID in the on-premises directory')],
  ['pwd_exp', plain('Seconds until the password expires')],
  ['pwd_url', plain('Where to change the password')],
  ['in_corp', plain('Signed in from the corporate network')],
  ['family_id', plain('App family')],
  // Azure AD B2C
  ['tfp', plain('Policy (user flow)')],
  ['emails', plain('Email addresses')],
  ['newUser', plain('New user')],
  // AD FS
  ['apptype', plain('Public or confidential client')],
  ['authmethod', plain('How the user signed in')],
]);

export const HEADER: ReadonlyMap<string, ClaimMeaning> = new Map<string, ClaimMeaning>([
  ['alg', plain('Algorithm')],
  ['typ', plain('Type')],
  ['cty', plain('Content type')],
  ['kid', plain('Key ID')],
  ['x5t', plain('Certificate thumbprint (SHA-1)')],
  ['x5t#S256', plain('Certificate thumbprint (SHA-256)')],
  ['x5c', plain('Certificate chain')],
  ['x5u', plain('Certificate URL')],
  ['jku', plain('Key set URL')],
  ['jwk', plain('Public key')],
  ['crit', plain('Critical header fields')],
  ['nonce', plain('Set by Microsoft: only Microsoft’s APIs can check the signature')],
  ['enc', plain('Content encryption algorithm')],
  ['zip', plain('Compression')],
  ['epk', plain('Ephemeral public key of the sender')],
  ['apu', plain('Agreement party: sender')],
  ['apv', plain('Agreement party: recipient')],
  ['iv', plain('Initialization vector of the encrypted key')],
  ['tag', plain('Authentication tag of the encrypted key')],
  ['p2c', plain('PBES2 iterations')],
  ['p2s', plain('PBES2 salt')],
]);
