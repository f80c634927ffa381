export interface Person {
  name: string;
  username: string;
}

export interface App {
  client_id: string;
  name: string;
  /** Confidential clients only. */
  secret?: string;
}

/** A response of the token endpoint (RFC 6749 §5.1). */
export type Response = { access_token: string; refresh_token: string } & Record<string, string | number>;

export interface Provider {
  authority: string;
  openid: { token_endpoint: string };
}

export const PEOPLE: Readonly<Record<'avery' | 'zoe' | 'kenji' | 'morgan' | 'priya' | 'dana' | 'lee' | 'quinn' | 'sam', Person>>;
export const APPS: Readonly<Record<'desk' | 'mail' | 'notes' | 'shop' | 'api' | 'nightly', App>>;
export const PROVIDERS: Readonly<Record<string, Provider>>;
export const CLOUDS: object;

/** Seconds since the epoch at which the cases begin. */
export const START: number;

export function homeAccountId(person: Person): string;
export function entra(person: Person, app: App, at: number, options?: object): Response;
export function adfs(person: Person, app: App, at: number): Response;
export function b2c(person: Person, app: App, at: number, policy: string): Response;
export function generic(person: Person, app: App, at: number): Response;
export function appOnly(app: App, tenant: string, at: number, options?: object): Response;
export function deepDocuments(levels?: number): Record<string, string>;
