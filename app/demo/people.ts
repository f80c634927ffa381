/** The users of the demo. Names, ids and hosts are invented; the host names are reserved for examples (RFC 2606). */

export const CONTOSO = '72f94c1e-8d05-4a37-b1c6-93e0a5f2db47';
export const FABRIKAM = 'b5a1c6f2-8e44-4d0f-8a57-91c02e7f3a60';

export interface Person {
  name: string;
  username: string;
  oid: string;
  /** The user's home tenant. */
  home: string;
}

export const ADA: Person = {
  name: 'Ada Marsh',
  username: 'ada@contoso.example',
  oid: '6b1f0c52-47d3-4c1e-b0a8-5e21f7d89a0e',
  home: CONTOSO,
};

export const TOMAS: Person = {
  name: 'Tomas Okafor',
  username: 'tomas@contoso.example',
  oid: 'd2c4e8a6-1f3b-4957-86d0-7a9be5c2134f',
  home: CONTOSO,
};

export const LIN: Person = {
  name: 'Lin Nakamura',
  username: 'lin@fabrikam.example',
  oid: '3e9d7b10-c2a5-4f68-9d14-0b8f6ca27e51',
  home: FABRIKAM,
};

export interface DemoApp {
  name: string;
  client_id: string;
}

export const MAIL: DemoApp = { name: 'Mail Assistant', client_id: '9f0c2b7e-30d1-4a85-b6f9-4e7d8a52c11e' };
export const ORDERS: DemoApp = { name: 'Order Desk', client_id: '51aa6d90-8b2f-4e13-a7c5-f06b93d102d4' };
export const REPORT: DemoApp = { name: 'nightly-report', client_id: 'c8e41f05-6a97-42db-8f30-1d5b7e9c64a2' };

export const GRAPH = 'https://graph.microsoft.com';
