/** Token responses whose access tokens expire at once, although the API accepts them. Each call of the API is a refresh. */
export function expiringAtOnce(fetchFn: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const answer = await fetchFn(input, init);
    const isToken = (input instanceof Request ? input.url : input.toString()).endsWith('/token') && answer.ok;
    if (!isToken) return answer;
    return Response.json({ ...((await answer.json()) as object), expires_in: 0 });
  };
}
