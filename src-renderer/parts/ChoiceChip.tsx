import { useState } from 'react';
import {
  Autocomplete,
  Button,
  Input,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  SearchField,
} from 'react-aria-components';
import type { Choice } from '../state/overview.ts';
import { plainText } from '../state/text.ts';
import { number } from '../state/words.ts';
import { useModel } from './hooks.ts';
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
  const { ports } = useModel();
  const name = chosen === null ? null : nameOf(chosen);
  // In a task of its own, after the menu has closed: both at once would stop the window.
  const chooseNext = (id: string | null) => void ports.time.turn().then(() => onChoose(id));
  return (
    <MenuTrigger>
      <Button className="chip" data-chosen={chosen !== null}>
        {name === null ? (
          label
        ) : (
          <span className="choice-name" title={name}>
            {label}: <bdi>{name}</bdi>
          </span>
        )}
        <Icon name="down" size={14} />
      </Button>
      <Popover className="popover" placement="bottom start" offset={4}>
        <ChoiceMenu label={label} every={every} choices={choices} onChoose={chooseNext} />
      </Popover>
    </MenuTrigger>
  );
}

/** Choices in a menu: as many as it shows without scrolling, because each takes about a millisecond. The others are found by typing. */
const MOST_CHOICES = 10;

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
  const [text, setText] = useState('');
  const wanted = plainText(text).trim();
  const found = wanted === '' ? all : all.filter(({ name }) => plainText(name).includes(wanted));
  const more = found.length - MOST_CHOICES;
  const menu = (
    <Menu className="menu choice-menu" aria-label={label}>
      {wanted === '' && (
        <MenuItem textValue={every} onAction={() => onChoose(null)}>
          {every}
        </MenuItem>
      )}
      <>
        {found.slice(0, MOST_CHOICES).map(({ id, name, count: n }) => (
          <MenuItem key={id} textValue={name} onAction={() => onChoose(id)}>
            <span className="choice-name">
              <bdi>{name}</bdi>
            </span>
            <span className="chip-count">{number(n)}</span>
          </MenuItem>
        ))}
        {more > 0 && <MenuItem isDisabled>{`${number(more)} more: type a part of the name`}</MenuItem>}
        {found.length === 0 && <MenuItem isDisabled>No match</MenuItem>}
      </>
    </Menu>
  );
  if (all.length <= MOST_CHOICES) return menu;
  return (
    <Autocomplete inputValue={text} onInputChange={setText}>
      <SearchField className="search choice-search" aria-label={`Find in ${label}`} autoFocus>
        <Icon name="search" size={14} />
        <Input placeholder="Find" maxLength={256} />
      </SearchField>
      {menu}
    </Autocomplete>
  );
}
