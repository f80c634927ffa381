import type { ReactNode } from 'react';
import type { Fact } from '../state/vaultFacts.ts';
import { Icon, type IconName } from './Icon.tsx';
import { Message, UserText } from './text.tsx';

/** A card of a page: title, contents, actions. */
export function Card({
  title,
  wide = false,
  children,
  actions,
}: {
  title: string;
  wide?: boolean;
  children: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <section className={wide ? 'card wide' : 'card'} aria-label={title}>
      <h2>{title}</h2>
      <div className="card-body">{children}</div>
      {actions !== undefined && <div className="actions card-actions">{actions}</div>}
    </section>
  );
}

/** The banner at the top of a page that shows the current state. */
export function StatusBanner({
  tone,
  icon,
  title,
  text,
  children,
}: {
  tone: 'ok' | 'wait' | 'warn' | 'bad' | 'plain';
  icon: IconName;
  title: string;
  text: string;
  children?: ReactNode;
}) {
  return (
    <section className="status-banner" data-tone={tone} aria-label={title}>
      <span className="status-banner-icon">
        <Icon name={icon} size={22} />
      </span>
      <div className="status-banner-words" role="status">
        <h2>{title}</h2>
        <p>
          <Message>{text}</Message>
        </p>
      </div>
      {children}
    </section>
  );
}

/** Names and values in two columns, each value with its explanation. */
export function Pairs({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="pairs">
      {facts.map(({ name, value, says }) => (
        <div className="pair" key={name}>
          <dt>{name}</dt>
          <dd>
            <b>
              <UserText>{value}</UserText>
            </b>
            {says !== '' && (
              <span className="pair-says">
                <UserText>{says}</UserText>
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
