/** Returns the code of an error of the system or of Node, such as ENOENT; "" if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
