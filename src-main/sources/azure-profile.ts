/** Azure CLI's list of subscriptions (`azureProfile.json`), which names the account a second time. */
import { isRecord } from '../cache/json.ts';

/**
 * The list without an account's subscriptions. The first one that is left becomes the default if the default went; unknown fields and the
 * byte order mark that Azure CLI writes stay.
 *
 * @returns null where nothing has to be changed, or where it is not such a list
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
