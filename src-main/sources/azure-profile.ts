/** Edits Azure CLI's list of subscriptions (`azureProfile.json`), which also names the account. */
import { isRecord } from '../cache/json.ts';

/**
 * Removes an account's subscriptions from the list. If the default is removed, the first remaining one becomes the default. Unknown fields
 * and the byte order mark of Azure CLI are kept.
 *
 * @returns the new text; null if nothing has to change or the text is not such a list
 */
export function azureProfileWithout(text: string, username: string): string | null {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  let profile: unknown;
  try {
    profile = JSON.parse(text.slice(mark.length));
  } catch {
    return null;
  }
  if (username === '' || !isRecord(profile) || !Array.isArray(profile['subscriptions'])) return null;
  const all: readonly unknown[] = profile['subscriptions'];
  const left = all.filter((one) => !isOf(one, username));
  if (left.length === all.length) return null;
  const hasDefault = left.some((one) => isRecord(one) && one['isDefault'] === true);
  const subscriptions = left.map((one, index) =>
    !hasDefault && index === 0 && isRecord(one) ? { ...one, isDefault: true } : one,
  );
  return mark + JSON.stringify({ ...profile, subscriptions });
}

function isOf(subscription: unknown, username: string): boolean {
  const user = isRecord(subscription) ? subscription['user'] : undefined;
  const name = isRecord(user) ? user['name'] : undefined;
  return typeof name === 'string' && name.toLowerCase() === username.toLowerCase();
}
