import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';

const A_DAY = 24 * 3600 * 1000;

/** What MSAL Node asks the network with. Discovery documents are asked for once a day, and not by every request's client. */
export function network(fetchFn: typeof fetch): INetworkModule {
  const known = new Map<string, { until: number; answer: Promise<NetworkResponse<unknown>> }>();

  async function ask(url: string, method: string, options?: NetworkRequestOptions) {
    const body = options?.body;
    const answer = await fetchFn(url, {
      method,
      headers: options?.headers ?? {},
      ...(body === undefined ? {} : { body }),
    });
    const headers = Object.fromEntries(answer.headers);
    return { headers, status: answer.status, body: (await answer.json()) as unknown };
  }

  function get(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<unknown>> {
    const isDiscovery = /\/\.well-known\/|\/discovery\//.test(url);
    const found = known.get(url);
    if (found !== undefined && performance.now() < found.until) return found.answer;
    const answer = ask(url, 'GET', options);
    if (!isDiscovery) return answer;
    known.set(url, { until: performance.now() + A_DAY, answer });
    const forget = (): void => void known.delete(url);
    answer.then(({ status }) => (status === 200 ? undefined : forget()), forget);
    return answer;
  }

  // MSAL says of what shape it takes the answer to be, and checks it itself.
  return {
    sendGetRequestAsync: async <T>(url: string, options?: NetworkRequestOptions) =>
      (await get(url, options)) as NetworkResponse<T>,
    sendPostRequestAsync: async <T>(url: string, options?: NetworkRequestOptions) =>
      (await ask(url, 'POST', options)) as NetworkResponse<T>,
  };
}
