import type { Fact } from '../state/vaultFacts.ts';
import { UserText } from './UserText.tsx';

/** Names and values in two columns, each with what it means after it. */
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
