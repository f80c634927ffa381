import { useState } from 'react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import type { Choice } from '../state/overview.ts';
import { number } from '../state/words.ts';
import { Icon } from './Icon.tsx';

/** A chip with a menu. The choices are counted when the menu opens. */
export function ChoiceChip({
  label,
  every,
  chosen,
  choices,
  nameOf,
  onChoose,
}: {
  label: string;
  every: string;
  chosen: string | null;
  choices: () => readonly Choice[];
  nameOf: (id: string) => string;
  onChoose: (id: string | null) => void;
}) {
  return (
    <MenuTrigger>
      <Button className="chip" data-chosen={chosen !== null}>
        {chosen === null ? label : `${label}: ${nameOf(chosen)}`}
        <Icon name="down" size={14} />
      </Button>
      <Popover className="popover" placement="bottom start" offset={4}>
        <ChoiceMenu label={label} every={every} choices={choices} onChoose={onChoose} />
      </Popover>
    </MenuTrigger>
  );
}

/** Choices in a menu. Each is an element, so that thousands of them would stop the window. */
const MOST_CHOICES = 200;

export function ChoiceMenu({
  label,
  every,
  choices,
  onChoose,
}: {
  label: string;
  every: string;
  choices: () => readonly Choice[];
  onChoose: (id: string | null) => void;
}) {
  const [all] = useState(choices);
  return (
    <Menu className="menu choice-menu" aria-label={label}>
      <MenuItem textValue={every} onAction={() => onChoose(null)}>
        {every}
      </MenuItem>
      <>
        {all.slice(0, MOST_CHOICES).map(({ id, name, count: n }) => (
          <MenuItem key={id} textValue={name} onAction={() => onChoose(id)}>
            <span className="choice-name">{name}</span>
            <span className="chip-count">{number(n)}</span>
          </MenuItem>
        ))}
        {all.length > MOST_CHOICES && (
          <MenuItem isDisabled>{`${number(all.length - MOST_CHOICES)} more are not listed`}</MenuItem>
        )}
      </>
    </Menu>
  );
}
