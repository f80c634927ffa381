/** What undoes what the tests of a file have made, newest first. Files share their modules, so a hook in a module runs only once. */
const undoes: (() => unknown)[] = [];

/** Has `undo` called after the last test of the file. */
export function afterFile(undo: () => unknown): void {
  undoes.unshift(undo);
}

/** Called by the setup file, see after-each-file.ts. One that fails keeps none of the others from running. */
export async function undoAll(): Promise<void> {
  const failures: unknown[] = [];
  for (const undo of undoes.splice(0)) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
}
