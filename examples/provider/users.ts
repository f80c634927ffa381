/** The users who can sign in. Names, IDs and hosts are invented; the host names are reserved for examples (RFC 2606). */

export interface User {
  /** The value of the login page's button, and the `sub` of the user's tokens. */
  id: string;
  name: string;
  /** `preferred_username` and `email`. */
  username: string;
  /** Object ID and tenant ID, as in Microsoft's identity platform. */
  oid: string;
  tid: string;
}

const CONTOSO = '5f1d7a9e-0c34-4b68-9ae2-7d50c1b8e463';
const FABRIKAM = 'e2b90c47-61fa-4d2d-8c15-3a7f94d06b1e';

export const USERS: readonly User[] = [
  {
    id: 'noor',
    name: 'Noor Haddad',
    username: 'noor@contoso.example',
    oid: '18c6e0f4-9b27-4e5d-a3c1-60f7d2b94a85',
    tid: CONTOSO,
  },
  {
    id: 'piet',
    name: 'Piet Vermeer',
    username: 'piet@contoso.example',
    oid: '7d42a1b8-35ce-4f90-b6d7-e8190c5f2a36',
    tid: CONTOSO,
  },
  {
    id: 'yuki',
    name: 'Yuki Tanabe',
    username: 'yuki@fabrikam.example',
    oid: 'c95b3e07-d8a1-4726-95f4-2b6e0d7183fc',
    tid: FABRIKAM,
  },
  {
    id: 'olu',
    name: 'Olu Adeyemi',
    username: 'olu@fabrikam.example',
    oid: '4ae7f918-02d6-4b3c-8f5a-d1c6937b0e52',
    tid: FABRIKAM,
  },
];
