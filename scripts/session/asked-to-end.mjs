/**
 * Calls `end` with the signal when this process is asked to end: by a signal, or because its parent has ended. npm runs a script in a
 * shell, and a SIGTERM for npm ends that shell and reaches no one else.
 *
 * @param {(signal: NodeJS.Signals) => void} end
 */
export function whenAskedToEnd(end) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(signal));
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end('SIGTERM');
  }, 250);
  watch.unref();
}
