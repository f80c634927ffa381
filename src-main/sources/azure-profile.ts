/** Edits Azure CLI's list of subscriptions (`azureProfile.json`), which also names the account. */
import { markNumbers, unmarkNumbers } from '../cache/document/numbers.ts';
import { isRecord } from '../cache/json.ts';

/**
 * Removes an account's subscriptions from the list. If the default is removed, the first remaining one becomes the default. Unknown fields
 * are kept, and so are the byte order mark of Azure CLI and the digits of numbers.
 *
 * @returns the new text; null if nothing has to change or the text is not such a list
 */
export function azureProfileWithout(text: string, username: string): string | null {
  const list = listIn(text);
  if (username === '' || list === null) return null;
  const { mark, profile, subscriptions: all } = list;
  const left = all.filter((one) => !isOf(one, username));
  if (left.length === all.length) return null;
  const hasDefault = left.some((one) => isRecord(one) && one['isDefault'] === true);
  const subscriptions = left.map((one, index) =>
    !hasDefault && index === 0 && isRecord(one) ? { ...one, isDefault: true } : one,
  );
  return mark + unmarkNumbers(JSON.stringify({ ...profile, subscriptions }));
}

/**
 * Puts an account's subscriptions back, as an earlier text of the list has them. What the list has now is newer and kept, its default too.
 *
 * @returns the new text; null if either text is not such a list
 */
export function azureProfileWith(text: string, earlier: string, username: string): string | null {
  const [list, before] = [listIn(text), listIn(earlier)];
  if (list === null || before === null) return null;
  const { mark, profile, subscriptions: all } = list;
  const idOf = (one: unknown): unknown => (isRecord(one) ? one['id'] : undefined);
  const known = new Set(all.filter((one) => isOf(one, username)).map(idOf));
  const hasDefault = all.some((one) => isRecord(one) && one['isDefault'] === true);
  const missing = before.subscriptions
    .filter((one) => isOf(one, username) && !known.has(idOf(one)))
    .map((one) => (hasDefault && isRecord(one) ? { ...one, isDefault: false } : one));
  return mark + unmarkNumbers(JSON.stringify({ ...profile, subscriptions: [...all, ...missing] }));
}

/** Returns a list with marked numbers. */
function listIn(
  text: string,
): { mark: string; profile: Record<string, unknown>; subscriptions: readonly unknown[] } | null {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  try {
    const profile: unknown = JSON.parse(markNumbers(text.slice(mark.length)));
    if (!isRecord(profile) || !Array.isArray(profile['subscriptions'])) return null;
    return { mark, profile, subscriptions: profile['subscriptions'] };
  } catch {
    return null;
  }
}

function isOf(subscription: unknown, username: string): boolean {
  const user = isRecord(subscription) ? subscription['user'] : undefined;
  const name = isRecord(user) ? user['name'] : undefined;
  return typeof name === 'string' && name.toLowerCase() === username.toLowerCase();
}
