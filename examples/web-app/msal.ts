/** MSAL Node, one client for each request, with the cache of that request's user. */
import { type Configuration, ConfidentialClientApplication, ProtocolMode } from '@azure/msal-node';
import { msalCachePlugin } from 'tokenkeep/msal';
import { type PerRequest, perRequest } from 'tokenkeep/partitions';
import { network } from './network.ts';
import type { Settings } from './settings.ts';

export function msalPerRequest(settings: Settings): PerRequest<ConfidentialClientApplication> {
  const { clientId, clientSecret, authority, provider } = settings;
  // Shared by all requests: the configuration, and what was learnt of the provider. Not shared: the client.
  const configuration: Configuration = {
    auth: {
      clientId,
      clientSecret,
      authority,
      ...(provider === 'oidc' ? { knownAuthorities: [new URL(authority).host] } : {}),
    },
    system: {
      ...(provider === 'oidc' ? { protocolMode: ProtocolMode.OIDC } : {}),
      networkClient: network(settings.fetch ?? fetch),
    },
  };
  return perRequest({
    client: (partition) =>
      new ConfidentialClientApplication({
        ...configuration,
        cache: { cachePlugin: msalCachePlugin(partition) },
      }),
  });
}
