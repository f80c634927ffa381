/** Which of several accounts are signed out of which places: the checkboxes of the dialog, and what they add up to. */
import type { PlaceOffer, SignOutOffers, SignOutWishes } from '../../app/contract.ts';
import { count, listing } from './words.ts';

/** An account that is about to be signed out. */
export interface LeavingAccount {
  id: string;
  name: string;
  username: string;
  inVault: boolean;
  /** Its tokens in all places. */
  tokens: number;
}

export interface MatrixColumn {
  /** `vault`, `provider`, or the id of a cache. */
  id: string;
  name: string;
  viewOnly: boolean;
  /** Ids of the accounts that the place has. */
  has: ReadonlySet<string>;
}

/** Maximum number of accounts that get a row each, the same as main counts the tokens of. */
const MOST_ROWS = 100;

/** The parts of the dialog's state that decide about the matrix. */
export interface SignOutChoice {
  accounts: readonly LeavingAccount[];
  places: readonly PlaceOffer[];
  offers: SignOutOffers | null | undefined;
  wishes: SignOutWishes;
}

/** Whether each account gets a checkbox for each place: also where only the vault is left, if an account was left out there. */
export function isMatrix({ accounts, places, wishes }: Omit<SignOutChoice, 'offers'>): boolean {
  const isDivided = places.some(({ page }) => page === null) || (wishes.except ?? []).length > 0;
  return accounts.length > 1 && accounts.length <= MOST_ROWS && isDivided;
}

export function matrixColumns({ accounts, places, offers }: Omit<SignOutChoice, 'wishes'>): MatrixColumn[] {
  const own = new Set(accounts.filter(({ inVault }) => inVault).map(({ id }) => id));
  const vault = { id: 'vault', name: 'This vault', viewOnly: false, has: own };
  const provider = { id: 'provider', name: 'Provider', viewOnly: false, has: own };
  return [
    ...(own.size === 0 ? [] : [vault]),
    ...places.map(({ id, name, viewOnly, tokensOf }) => ({
      id,
      name,
      viewOnly,
      has: new Set(accounts.flatMap((one) => (tokensOf[one.id] === undefined ? [] : [one.id]))),
    })),
    ...(own.size > 0 && offers?.revoke === 'offered' ? [provider] : []),
  ];
}

function isPlaceChosen({ vault, revoke, places }: SignOutWishes, place: string): boolean {
  return place === 'vault' ? vault : place === 'provider' ? vault && revoke : places.includes(place);
}

/** Whether an account is signed out of a place. */
export function isChosen(wishes: SignOutWishes, accountId: string, place: string): boolean {
  const isExcepted = (wishes.except ?? []).some(
    (one) =>
      one.accountId === accountId && (one.place === place || (place === 'provider' && one.place === 'vault')),
  );
  return isPlaceChosen(wishes, place) && !isExcepted;
}

/** Returns the wishes after a click on a checkbox. */
export function withChoice(
  { has, id: place }: MatrixColumn,
  wishes: SignOutWishes,
  accountId: string,
  isOn: boolean,
): SignOutWishes {
  const chosen = new Set([...has].filter((id) => isChosen(wishes, id, place)));
  if (isOn) chosen.add(accountId);
  else chosen.delete(accountId);
  const others = (wishes.except ?? []).filter((one) => one.place !== place);
  const left = [...has].filter((id) => !chosen.has(id)).map((id) => ({ accountId: id, place }));
  const next = { ...wishes, except: chosen.size === 0 ? others : [...others, ...left] };
  if (place === 'vault') return { ...next, vault: chosen.size > 0 };
  if (place === 'provider') return { ...next, revoke: chosen.size > 0 };
  const places = wishes.places.filter((id) => id !== place);
  return { ...next, places: chosen.size > 0 ? [...places, place] : places };
}

/**
 * Returns the wishes for the accounts that are left. A place where none of them was chosen is not chosen any more, and one account alone is
 * excepted nowhere: its places are shown as a list.
 */
export function wishesFor(accounts: readonly LeavingAccount[], wishes: SignOutWishes): SignOutWishes {
  const ids = new Set(accounts.map(({ id }) => id));
  const except = (wishes.except ?? []).filter(({ accountId }) => ids.has(accountId));
  const out = new Set(except.map(({ accountId, place }) => `${accountId} ${place}`));
  const isLeft = (place: string) => accounts.some(({ id }) => !out.has(`${id} ${place}`));
  return {
    ...wishes,
    vault: wishes.vault && accounts.some(({ id, inVault }) => inVault && !out.has(`${id} vault`)),
    revoke: wishes.revoke && isLeft('provider'),
    places: wishes.places.filter(isLeft),
    except: accounts.length > 1 ? except : [],
  };
}

/** One line for each place: what happens there. */
export function matrixLines(choice: SignOutChoice): { id: string; name: string; says: string }[] {
  const { accounts, places, offers, wishes } = choice;
  return matrixColumns(choice).map((column) => {
    const { id, name } = column;
    const leaving = accounts.filter((one) => column.has.has(one.id) && isChosen(wishes, one.id, id));
    const whose = count(leaving.length, 'account');
    const offer = places.find((place) => place.id === id);
    if (offer?.viewOnly === true) return { id, name, says: offer.leave };
    if (offer !== undefined && offer.page !== null)
      return { id, name, says: leaving.length === 0 ? 'No page is opened.' : offer.leave };
    if (leaving.length === 0)
      return { id, name, says: id === 'provider' ? 'Nothing is revoked.' : 'Nothing is removed.' };
    if (id === 'provider')
      return {
        id,
        name,
        says: `${offers?.provider ?? 'Each provider'} revokes the refresh tokens of ${whose}.`,
      };
    if (offer === undefined) {
      const tokens = leaving.reduce((sum, one) => sum + vaultTokens(one, places), 0);
      return {
        id,
        name,
        says: `Removes ${count(tokens, 'token')} of ${whose} and rotates the encryption key.`,
      };
    }
    const tokens = leaving.reduce((sum, one) => sum + (offer.tokensOf[one.id] ?? 0), 0);
    return { id, name, says: `Removes ${count(tokens, 'token')} of ${whose}.${staying(choice, offer)}` };
  });
}

function vaultTokens({ id, tokens }: LeavingAccount, places: readonly PlaceOffer[]): number {
  return places.reduce((left, { tokensOf }) => Math.max(0, left - (tokensOf[id] ?? 0)), tokens);
}

/** " Dana Whitfield and Mara Lindqvist stay." */
function staying(
  { accounts, wishes }: SignOutChoice,
  { id, others, staying: names, tokensOf }: PlaceOffer,
): string {
  const unchecked = accounts.filter((one) => tokensOf[one.id] !== undefined && !isChosen(wishes, one.id, id));
  const all = [...unchecked.map(({ name }) => name), ...names];
  const number = unchecked.length + others;
  if (number === 0) return '';
  if (number > all.length) return ` ${count(number, 'other account')} ${number === 1 ? 'stays' : 'stay'}.`;
  return ` ${listing(all, all.length)} ${number === 1 ? 'stays' : 'stay'}.`;
}

/** Returns the number of accounts that are signed out of at least one place. */
export function leavingCount(choice: SignOutChoice): number {
  const columns = matrixColumns(choice).filter(({ viewOnly }) => !viewOnly);
  return choice.accounts.filter((one) =>
    columns.some(({ id, has }) => has.has(one.id) && isChosen(choice.wishes, one.id, id)),
  ).length;
}

/** "Chosen: 2 places on this computer, id.adatum.example and a page in the browser." A place counts once, however many accounts it has. */
export function matrixTotal(choice: SignOutChoice): { isEmpty: boolean; says: string } {
  const chosen = matrixColumns(choice).filter(
    ({ id, has, viewOnly }) => !viewOnly && [...has].some((account) => isChosen(choice.wishes, account, id)),
  );
  const isPage = new Set(choice.places.flatMap(({ id, page }) => (page === null ? [] : [id])));
  const pages = chosen.filter(({ id }) => isPage.has(id)).length;
  const isRevoking = chosen.some(({ id }) => id === 'provider');
  const places = chosen.length - pages - (isRevoking ? 1 : 0);
  const parts = [
    ...(places > 0 ? [`${count(places, 'place')} on this computer`] : []),
    ...(isRevoking ? [choice.offers?.provider ?? 'the providers'] : []),
    ...(pages > 0 ? [pages === 1 ? 'a page in the browser' : `${count(pages, 'page')} in the browser`] : []),
  ];
  return {
    isEmpty: parts.length === 0,
    says: parts.length === 0 ? 'Nothing is chosen.' : `Chosen: ${listing(parts)}.`,
  };
}
