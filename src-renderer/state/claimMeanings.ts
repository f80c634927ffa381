/**
 * What the claims of a token mean. From RFC 7519 §4.1, RFC 7515 §4.1 (header), RFC 7800, RFC 8693 §4, RFC 9068,
 * OpenID Connect Core 1.0 §2, §3.1.3.6, §5.1 and Front-Channel Logout, and Microsoft's "Access token claims reference"
 * and "ID token claims reference". A claim that is in none of them is shown without a meaning.
 */

/** How a value reads: as seconds since the epoch, as the id of an API or an app, or as it is. */
export type ClaimReading = 'time' | 'resource' | 'app' | 'plain';

export interface ClaimMeaning {
  says: string;
  reading: ClaimReading;
  /** Values that are codes, with what they stand for. */
  codes?: ReadonlyMap<string, string>;
}

const time = (says: string): ClaimMeaning => ({ says, reading: 'time' });
const plain = (says: string): ClaimMeaning => ({ says, reading: 'plain' });
const coded = (says: string, codes: Record<string, string>): ClaimMeaning => ({
  says,
  reading: 'plain',
  codes: new Map(Object.entries(codes)),
});

/** RFC 8176 §2, and the values that Microsoft adds. */
const METHODS = {
  pwd: 'password',
  mfa: 'several factors',
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
  kba: 'questions',
  geo: 'place',
  rba: 'risk check',
  mca: 'several channels',
  user: 'presence',
  ngcmfa: 'device with several factors',
};

const PROOFS = { '0': 'not at all', '1': 'by a secret', '2': 'by a certificate' };

export const PAYLOAD: ReadonlyMap<string, ClaimMeaning> = new Map<string, ClaimMeaning>([
  // RFC 7519
  ['iss', plain('Issuer: who made it')],
  ['sub', plain('Subject: who it is about, as this app knows them')],
  ['aud', { says: 'Audience: who it is for', reading: 'resource' }],
  ['exp', time('Expires')],
  ['nbf', time('Not valid before')],
  ['iat', time('Issued')],
  ['jti', plain('Its own id')],
  // OpenID Connect Core: the ID token
  ['auth_time', time('When the user signed in')],
  ['nonce', plain('Ties it to the request it answers')],
  ['acr', plain('How strong the sign-in was: a class named by the provider')],
  ['amr', coded('How the user signed in', METHODS)],
  ['azp', { says: 'The app it was made for', reading: 'app' }],
  ['at_hash', plain('Hash that ties it to its access token')],
  ['c_hash', plain('Hash that ties it to its authorization code')],
  ['s_hash', plain('Hash that ties it to the state of the request')],
  ['sid', plain('The session at the provider')],
  // OpenID Connect Core §5.1: about the user
  ['name', plain('Full name')],
  ['given_name', plain('Given name')],
  ['family_name', plain('Family name')],
  ['middle_name', plain('Middle name')],
  ['nickname', plain('Casual name')],
  ['preferred_username', plain('The name they sign in with; may change, so no key')],
  ['profile', plain('Profile page')],
  ['picture', plain('Picture')],
  ['website', plain('Web site')],
  ['email', plain('E-mail address')],
  ['email_verified', plain('Whether the provider has checked the e-mail address')],
  ['gender', plain('Gender')],
  ['birthdate', plain('Date of birth')],
  ['zoneinfo', plain('Time zone')],
  ['locale', plain('Language and region')],
  ['phone_number', plain('Phone number')],
  ['phone_number_verified', plain('Whether the provider has checked the phone number')],
  ['address', plain('Postal address')],
  ['updated_at', time('When these facts last changed')],
  // OAuth: RFC 8693, RFC 9068, RFC 7800
  ['scope', plain('What the app may do: scopes')],
  ['client_id', { says: 'The app that asked for it', reading: 'app' }],
  ['act', plain('Who acts for the user')],
  ['may_act', plain('Who may act for the user')],
  ['cnf', plain('The key that its holder must prove to have')],
  ['groups', plain('Groups the user is in')],
  ['roles', plain('Roles that the user or the app has been given')],
  ['entitlements', plain('Rights that the user has been given')],
  // Microsoft: access and ID tokens
  ['aio', plain("Microsoft's own bookkeeping; not for apps")],
  ['rh', plain("Microsoft's own bookkeeping; not for apps")],
  ['uti', plain('Its own id, as in the sign-in logs')],
  ['xms_ftd', plain("Microsoft's own bookkeeping; not for apps")],
  ['xms_tdbr', plain('Region of the tenant')],
  ['appid', { says: 'The app that asked for it', reading: 'app' }],
  ['app_displayname', plain('Name of the app')],
  ['appidacr', coded('How the app proved who it is', PROOFS)],
  ['azpacr', coded('How the app proved who it is', PROOFS)],
  [
    'idtyp',
    coded('Kind of token', { app: 'for an app without a user', user: 'for a user', device: 'for a device' }),
  ],
  ['idp', plain('Who signed the user in, where not the issuer')],
  ['oid', plain('Object id: the user or app in this tenant, same for every app')],
  ['tid', plain('Tenant: the directory it was issued in')],
  ['puid', plain('Internal id of the user')],
  ['altsecid', plain('The user at another provider')],
  ['scp', plain('What the app may do for the user')],
  ['upn', plain('User principal name; may change, so no key')],
  ['unique_name', plain('A name to show; not unique, so no key')],
  ['ver', plain('Version of the token format')],
  ['wids', plain('Directory roles of the user: template ids')],
  ['hasgroups', plain('In more groups than fit: ask Microsoft Graph')],
  ['_claim_names', plain('Claims that are kept elsewhere')],
  ['_claim_sources', plain('Where those claims are kept')],
  ['ipaddr', plain('Address the user signed in from')],
  ['acct', coded('The user in this tenant', { '0': 'member', '1': 'guest' })],
  ['acrs', plain('Authentication contexts that were satisfied')],
  ['ctry', plain('Country of the user')],
  ['tenant_ctry', plain('Country of the tenant')],
  ['tenant_region_scope', plain('Region of the tenant')],
  ['verified_primary_email', plain('Primary e-mail addresses that were checked')],
  ['verified_secondary_email', plain('Further e-mail addresses that were checked')],
  ['login_hint', plain('Names the user at the next sign-in')],
  ['xms_st', plain('Other subjects of the same user')],
  ['xms_cc', plain('What the app can handle; cp1: claims challenges')],
  ['xms_mirid', plain('The managed identity')],
  ['xms_idrel', plain('How the user or app relates to the tenant')],
  ['xms_pl', plain('Preferred language of the user')],
  ['xms_tcdt', time('When the tenant was made')],
  ['platf', plain('Kind of device')],
  ['deviceid', plain('The device')],
  ['signin_state', plain('How the sign-in stood: known device, kept signed in, …')],
  ['onprem_sid', plain('The user in the on-premises directory')],
  ['pwd_exp', plain('Seconds until the password expires')],
  ['pwd_url', plain('Where to change the password')],
  ['in_corp', plain('Signed in from the corporate network')],
  ['family_id', plain('Family of client IDs')],
  // Azure AD B2C
  ['tfp', plain('The policy that made it')],
  ['emails', plain('E-mail addresses')],
  ['newUser', plain('Signed up just then')],
  // AD FS
  ['apptype', plain('Public or confidential app')],
  ['authmethod', plain('How the user signed in')],
]);

export const HEADER: ReadonlyMap<string, ClaimMeaning> = new Map<string, ClaimMeaning>([
  ['alg', plain('Algorithm: of the signature, or of the encrypted key')],
  ['typ', plain('Type')],
  ['cty', plain('Type of what is inside')],
  ['kid', plain('Which key')],
  ['x5t', plain('Certificate of the key: SHA-1 thumbprint')],
  ['x5t#S256', plain('Certificate of the key: SHA-256 thumbprint')],
  ['x5c', plain('Certificate of the key, with its chain')],
  ['x5u', plain('Where the certificate is kept')],
  ['jku', plain('Where the keys are kept')],
  ['jwk', plain('The key itself')],
  ['crit', plain('Header fields that a reader must understand')],
  ['nonce', plain("Microsoft's own: only Microsoft's APIs can check the signature")],
  ['enc', plain('Algorithm of the content')],
  ['zip', plain('Compression')],
  ['epk', plain("The sender's one-time public key")],
  ['apu', plain('About the sender')],
  ['apv', plain('About the receiver')],
  ['iv', plain('Of the encrypted key')],
  ['tag', plain('Of the encrypted key')],
  ['p2c', plain('Rounds of the key derivation')],
  ['p2s', plain('Salt of the key derivation')],
]);
