import { createHash } from 'node:crypto';
import type { RedisCommands } from './redis.ts';

/** A script on one key that Redis knows by its hash; sent whole only where it does not know it yet, or any more. */
export class Script {
  readonly #text: string;
  readonly #sha1: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha1 = createHash('sha1').update(text).digest('hex'); // What EVALSHA asks for; nothing is protected by it.
  }

  async run(commands: RedisCommands, key: string, args: (string | Buffer)[]): Promise<unknown> {
    const call = { keys: [key], arguments: args };
    try {
      return await commands.evalSha(this.#sha1, call);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return commands.eval(this.#text, call);
    }
  }
}

/** Seconds as Redis takes them. */
export function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000));
}
