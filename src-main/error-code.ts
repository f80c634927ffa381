/** Returns the code of an error of the system or of Node, such as ENOENT; "" if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * Returns an error's message without the sentence that begins with "Developers:" and ends with a page of the documentation: users of an
 * app can't act on it.
 */
export function messageForUsers({ message }: Error): string {
  return message.replace(/ Developers: [^()]*\(docs\/[\w-]+\.md\)\./, '');
}
