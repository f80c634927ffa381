import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon.tsx';

/** How things stand, at the top of a page. */
export function Verdict({
  tone,
  icon,
  title,
  text,
  children,
}: {
  tone: 'ok' | 'wait' | 'warn' | 'bad';
  icon: IconName;
  title: string;
  text: string;
  children?: ReactNode;
}) {
  return (
    <section className="verdict" data-tone={tone} aria-label={title}>
      <span className="verdict-icon">
        <Icon name={icon} size={22} />
      </span>
      <div className="verdict-words" role="status">
        <h2>{title}</h2>
        <p>{text}</p>
      </div>
      {children}
    </section>
  );
}
