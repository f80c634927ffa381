import type { Page } from '../state/pages.ts';
import { ActivityPage } from './ActivityPage.tsx';
import { HealthPage } from './HealthPage.tsx';
import { InspectPage } from './InspectPage.tsx';
import { SecurityPage } from './SecurityPage.tsx';
import { SettingsPage } from './SettingsPage.tsx';

/** The pages other than Accounts. */
export function OtherPage({ page }: { page: Exclude<Page, 'accounts'> }) {
  switch (page) {
    case 'inspect':
      return <InspectPage />;
    case 'activity':
      return <ActivityPage />;
    case 'security':
      return <SecurityPage />;
    case 'health':
      return <HealthPage />;
    case 'settings':
      return <SettingsPage />;
  }
}
