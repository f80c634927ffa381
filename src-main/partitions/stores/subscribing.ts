/** Subscribing to the news of other processes, which can be given up while the connection is still being made. */
import { PartitionStoreError, TokenkeepError } from '../../errors.ts';
import { abandonable } from '../../waiting.ts';

export const UNSUBSCRIBED =
  'Nothing was subscribed. Copies in memory are used for as long as `staleness` says.';

interface Subscription {
  /** Resolves when the news arrive. */
  readonly begin: () => Promise<unknown>;
  /** Closes the connection, also one that is still being made. */
  readonly close: () => void;
  /** Returns an error that says what to change, if the cause is known and lasts; else any other. */
  readonly explained: (error: unknown) => unknown;
}

/** @returns a function that ends the subscription @throws PartitionStoreError; the signal's reason if it was given up */
export async function subscribed(
  signal: AbortSignal | undefined,
  { begin, close, explained }: Subscription,
): Promise<() => Promise<void>> {
  try {
    await abandonable(signal, begin);
  } catch (error) {
    close();
    if (signal?.aborted === true) throw error;
    const known = explained(error);
    if (known instanceof TokenkeepError) throw known;
    throw new PartitionStoreError(
      'store_unavailable',
      `The connection for news of other processes could not be made, or was lost before it listened. ${UNSUBSCRIBED} Make the store again once its server can be reached.`,
      { cause: error },
    );
  }
  return () => {
    close();
    return Promise.resolve();
  };
}
