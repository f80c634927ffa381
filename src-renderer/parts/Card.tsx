import type { ReactNode } from 'react';

/** One matter on a page: its name, what there is to know, and what can be done. */
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
