/** What is used of the `pg` package, and how one statement is run on a connection of its pool. */

/** What is used of a `Pool` of the `pg` package. */
export interface PostgresPool {
  /** As in `pg`. */
  connect(): Promise<PostgresConnection>;
}

/** What is used of a connection. */
export interface PostgresConnection {
  /** As in `pg`. */
  query(text: string, values?: unknown[]): Promise<PostgresAnswer>;
  /** true: the connection is closed, and not used again. */
  release(destroy?: boolean): void;
  /** As in `pg`: the connection was lost. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** As in `pg`: the connection is over. */
  on(event: 'end', listener: () => void): unknown;
  /** As in `pg`: for `postgresInvalidation`. */
  on(event: 'notification', listener: (message: { payload?: string | undefined }) => void): unknown;
  /** As in `pg`. */
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** What is used of a query's answer. */
export interface PostgresAnswer {
  /** As objects by column. */
  rows: unknown[];
  /** Of a write: how many rows it touched. */
  rowCount: number | null;
}

/** @throws what `pg` throws; the connection is closed where it is not known to be good any more */
export async function query(
  pool: PostgresPool,
  text: string,
  values: unknown[],
  signal?: AbortSignal,
): Promise<PostgresAnswer> {
  const connection = await pool.connect();
  if (signal?.aborted === true) {
    connection.release(); // It came too late: the next one gets it.
    throw new Error('Nobody waits for this statement any more.');
  }
  // Where nobody listens, a lost connection would end the process. The statement's own promise tells of it.
  const ignore = (): void => undefined;
  connection.on('error', ignore);
  let isOpen = true;
  const give = (destroy: boolean): void => {
    if (!isOpen) return;
    isOpen = false;
    if (!destroy) connection.off('error', ignore); // A closed one may still complain.
    connection.release(destroy);
  };
  const giveUp = (): void => give(true); // A connection that hangs must not go back to the pool.
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const answer = await connection.query(text, values);
    give(false);
    return answer;
  } catch (error) {
    give(!isAnswer(error));
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** Whether the server answered, with an SQLSTATE that is not about the connection (classes 08, 57) itself. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return /^(?!08|57)[0-9A-Z]{5}$/.test(error.code);
}
