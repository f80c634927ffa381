import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon.tsx';

/** A screen with one message. */
export function BlankScreen({
  icon,
  tone,
  title,
  children,
}: {
  icon: IconName;
  tone: 'wait' | 'warn' | 'bad' | 'calm';
  title: string;
  children: ReactNode;
}) {
  return (
    <main className="blank" data-tone={tone}>
      <div className="blank-column">
        <span className="blank-icon">
          <Icon name={icon} size={28} />
        </span>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
