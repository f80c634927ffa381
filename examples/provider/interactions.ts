/** Signing in and consenting: the steps between an authorization request and its response. */
import { interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { consentPage, loginPage } from './pages.ts';
import { readForm } from './form.ts';
import type { User } from './users.ts';

const PATH = /^\/interaction\/[\w-]+$/;

/** Sign in, or choose another account (OpenID Connect Core §3.1.2.1, `prompt=select_account`), then consent. */
export function prompts(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return policy;
}

/** Serves the pages of an interaction, and passes all other requests to the provider. */
export function interactions(provider: Provider, users: readonly User[]) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (!PATH.test(ctx.path)) return next();
    ctx.set('Cache-Control', 'no-store');
    if (ctx.method === 'POST') return decide(provider, users, ctx);
    const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
    const client = await provider.Client.find(String(params['client_id']));
    const name = client?.clientName ?? client?.clientId ?? 'an app';
    ctx.type = 'html';
    if (prompt.name !== 'consent') ctx.body = loginPage(ctx.path, name, users);
    else {
      const user = users.find(({ id }) => id === session?.accountId);
      ctx.body = consentPage(ctx.path, name, user?.name ?? 'someone', wishes(prompt.details));
    }
  };
}

async function decide(
  provider: Provider,
  users: readonly User[],
  { req, res }: KoaContextWithOIDC,
): Promise<void> {
  const form = await readForm(req);
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
  if (form.has('abort')) {
    const refused = { error: 'access_denied', error_description: 'the user refused' };
    return provider.interactionFinished(req, res, refused);
  }
  if (prompt.name !== 'consent') {
    const user = users.find(({ id }) => id === form.get('login'));
    const login = user && { login: { accountId: user.id }, select_account: {} };
    return provider.interactionFinished(req, res, login ?? {});
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant =
    known ?? new provider.Grant({ accountId: session?.accountId, clientId: String(params['client_id']) });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = missing(prompt.details);
  if (missingOIDCScope.length > 0) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims.length > 0) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true });
}

interface Missing {
  missingOIDCScope: string[];
  missingOIDCClaims: string[];
  missingResourceScopes: Record<string, string[]>;
}

function missing(details: object): Missing {
  return { missingOIDCScope: [], missingOIDCClaims: [], missingResourceScopes: {}, ...details };
}

function wishes(details: object): string[] {
  const { missingOIDCScope, missingResourceScopes } = missing(details);
  return [...missingOIDCScope, ...Object.values(missingResourceScopes).flat()];
}
