import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountName } from '../state/groups.ts';
import { initials } from '../state/text.ts';

/** Paths on a 16-unit grid, drawn with one stroke in the text color. Icons are decorative. */
const PATHS = {
  search: 'M7 2.75a4.25 4.25 0 1 1 0 8.5 4.25 4.25 0 0 1 0-8.5ZM10.2 10.2l3.3 3.3',
  close: 'M4 4l8 8M12 4l-8 8',
  lock: 'M4.5 7.25h7a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1ZM5.5 7V5.25a2.5 2.5 0 0 1 5 0V7',
  app: 'M2.75 3.75a1 1 0 0 1 1-1h8.5a1 1 0 0 1 1 1v8.5a1 1 0 0 1-1 1h-8.5a1 1 0 0 1-1-1ZM2.75 6h10.5M5 9h3',
  orphan: 'M6.2 6.1a1.9 1.9 0 1 1 2.7 2c-.6.3-.9.7-.9 1.4M8 11.6v.1',
  warning: 'M8 2.5 14 13H2ZM8 6.5v3M8 11.2v.1',
  wait: 'M8 2.75a5.25 5.25 0 1 1 0 10.5 5.25 5.25 0 0 1 0-10.5ZM8 5v3.2l2 1.3',
  file: 'M4 2.75h5l3 3v7.5H4ZM9 2.75v3h3',
  show: 'M1.75 8s2.25-4.25 6.25-4.25S14.25 8 14.25 8 12 12.25 8 12.25 1.75 8 1.75 8ZM8 6.25a1.75 1.75 0 1 1 0 3.5 1.75 1.75 0 0 1 0-3.5Z',
  hide: 'M3 4.9C2.2 6.2 1.75 8 1.75 8S4 12.25 8 12.25c1.2 0 2.2-.4 3-.9M6 4.1A6.3 6.3 0 0 1 8 3.75c4 0 6.25 4.25 6.25 4.25s-.5 1-1.5 2.1M2.5 2.5l11 11',
  down: 'M4.5 6.25 8 9.75l3.5-3.5',
  back: 'M9.75 4.5 6.25 8l3.5 3.5',
  forward: 'M6.25 4.5 9.75 8l-3.5 3.5',
  copy: 'M6.75 5.75h5.5a1 1 0 0 1 1 1v5.5a1 1 0 0 1-1 1h-5.5a1 1 0 0 1-1-1v-5.5a1 1 0 0 1 1-1ZM10.25 5.75v-2a1 1 0 0 0-1-1h-5.5a1 1 0 0 0-1 1v5.5a1 1 0 0 0 1 1h2',
  check: 'M3.5 8.5l3 3 6-7',
  keep: 'M8 2.25 13 4v4c0 3-2.2 5-5 5.9C5.2 13 3 11 3 8V4ZM6.9 7.2a1.1 1.1 0 1 1 2.2 0c0 .5-.3.8-.6 1l.3 1.9H7.2l.3-1.9c-.3-.2-.6-.5-.6-1Z',
  refresh: 'M12.9 6.6A5.1 5.1 0 0 0 3.4 5.8M3.1 9.4a5.1 5.1 0 0 0 9.5.8M3.1 2.9v3h3M12.9 13.1v-3h-3',
  'sign-in': 'M9 2.75h3.25a1 1 0 0 1 1 1v8.5a1 1 0 0 1-1 1H9M2.75 8h6.5M6.75 5.5 9.25 8l-2.5 2.5',
  'sign-out': 'M7 2.75H3.75a1 1 0 0 0-1 1v8.5a1 1 0 0 0 1 1H7M6.5 8h6.75M10.75 5.5 13.25 8l-2.5 2.5',
  import: 'M8 2.75v6.5M5.5 6.75 8 9.25l2.5-2.5M2.75 9.5v2.75a1 1 0 0 0 1 1h8.5a1 1 0 0 0 1-1V9.5',
  export: 'M8 2.75v7M5.25 7 8 9.75 10.75 7M2.75 12.75h10.5',
  refused: 'M8 2.75a5.25 5.25 0 1 1 0 10.5 5.25 5.25 0 0 1 0-10.5ZM6 6l4 4M10 6l-4 4',
  plus: 'M8 3v10M3 8h10',
  computer: 'M2.75 3.25h10.5v7.5H2.75ZM5.5 13.25h5M8 10.75v2.5',
  terminal: 'M2.75 3.25h10.5v9.5H2.75ZM5 6l2 2-2 2M8.5 10h2.5',
  sample:
    'M6.25 2.75h3.5M7 2.75v3.5l-3.6 5.6a.9.9 0 0 0 .8 1.4h7.6a.9.9 0 0 0 .8-1.4L9 6.25v-3.5M5.2 9.25h5.6',
  people:
    'M6 3.25a2.25 2.25 0 1 1 0 4.5 2.25 2.25 0 0 1 0-4.5ZM1.9 12.75c.3-2.2 1.9-3.5 4.1-3.5s3.8 1.3 4.1 3.5M10.5 3.4a2.2 2.2 0 0 1 0 4.2M12 9.6c1.2.5 1.9 1.6 2.1 3.15',
  question:
    'M8 2.75a5.25 5.25 0 1 1 0 10.5 5.25 5.25 0 0 1 0-10.5ZM6.6 6.6a1.45 1.45 0 1 1 2.1 1.5c-.5.25-.7.55-.7 1.05M8 10.8v.1',
} as const;

export type IconName = keyof typeof PATHS | 'more';

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {name === 'more' ? (
        <g className="icon-dots">
          <circle cx="3.25" cy="8" r="1.25" />
          <circle cx="8" cy="8" r="1.25" />
          <circle cx="12.75" cy="8" r="1.25" />
        </g>
      ) : (
        <path d={PATHS[name]} />
      )}
    </svg>
  );
}

/** Initials of a user, an icon for an app. Decorative: the name is beside it. */
export function Avatar({ account, large = false }: { account: AccountItem; large?: boolean }) {
  return (
    <span className={large ? 'avatar large' : 'avatar'} data-kind={account.kind} aria-hidden="true">
      {account.kind === 'user' ? (
        initials(accountName(account))
      ) : (
        <Icon name={account.kind} size={large ? 22 : 16} />
      )}
    </span>
  );
}
