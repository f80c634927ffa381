export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Formats a number with three significant digits and a unit. */
export function duration(milliseconds: number): string {
  const digits = (value: number): string => value.toLocaleString('en', { maximumSignificantDigits: 3 });
  if (milliseconds < 1) return `${digits(milliseconds * 1000)} µs`;
  return milliseconds < 1000 ? `${digits(milliseconds)} ms` : `${digits(milliseconds / 1000)} s`;
}

export function times(ratio: number): string {
  return `${ratio.toLocaleString('en', { maximumSignificantDigits: ratio < 10 ? 2 : 3 })} ×`;
}
