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
  return processInfo.map(({ type, id }) => ({
    type,
    command: readFileSync(`/proc/${id}/cmdline`, 'latin1').replaceAll('\0', ' '),
    status: readFileSync(`/proc/${id}/status`, 'latin1'),
  }));
}
