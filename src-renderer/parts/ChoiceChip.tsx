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

function ChoiceMenu({
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
        {all.map(({ id, name, count: n }) => (
          <MenuItem key={id} textValue={name} onAction={() => onChoose(id)}>
            <span className="choice-name">{name}</span>
            <span className="chip-count">{number(n)}</span>
          </MenuItem>
        ))}
      </>
    </Menu>
  );
}
