import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';

export interface Process {
  type: string;
  command: string;
  status: string;
}

/** The processes of a packaged app, as Chromium and Linux know them. */
export async function processesOf(window: Page): Promise<Process[]> {
  const session = await window.context().browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.flatMap(({ type, id }) => {
    const [command, status] = [told(id, 'cmdline'), told(id, 'status')];
    return command === null || status === null
      ? []
      : { type, command: command.replaceAll('\0', ' '), status };
  });
}

/** null: it has ended meanwhile, as Chromium's passing helpers do. */
function told(id: number, what: 'cmdline' | 'status'): string | null {
  try {
    return readFileSync(`/proc/${id}/${what}`, 'latin1');
  } catch {
    return null;
  }
}
