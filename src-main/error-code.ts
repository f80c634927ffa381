/** The codes that libuv does not know, by their numbers on Linux and on macOS. */
const UNNAMED: Readonly<Record<string, string>> = {
  122: 'EDQUOT',
  69: 'EDQUOT',
  116: 'ESTALE',
  70: 'ESTALE',
  37: 'ENOLCK',
  77: 'ENOLCK',
};

/** Returns the code of an error of the system or of Node, such as ENOENT; "" if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? systemCode(String(error.code)) : '';
}

/**
 * Returns the name of a system code. Node names only those that libuv knows: a full quota (EDQUOT), a file that was replaced on its network
 * drive (ESTALE) and a drive without locks (ENOLCK) are “Unknown system error -122” and the like.
 */
export function systemCode(code: string): string {
  return UNNAMED[/^Unknown system error -(\d+)$/.exec(code)?.[1] ?? ''] ?? code;
}

/**
 * Returns an error's message without the sentence that begins with "Developers:" and ends with a page of the documentation: users of an
 * app can't act on it.
 */
export function messageForUsers({ message }: Error): string {
  return message.replace(/ Developers: [^()]*\(docs\/[\w-]+\.md\)\./, '');
}
