/** Validates the arguments of the requests for sources. */
import { InvalidArgumentError } from 'tokenkeep';
import { type ArgumentCheck, type ArgumentChecks, noArguments } from 'tokenkeep/ipc';
import type { SourceRequests } from './contract.ts';

const idOnly: ArgumentCheck<[string]> = (args) => {
  const [id] = args;
  if (args.length === 1 && typeof id === 'string' && /^[\w-]{1,64}$/.test(id)) return [id];
  throw new InvalidArgumentError(
    'The request was sent with arguments that it does not take. Nothing was done.',
  );
};

export const sourceChecks: ArgumentChecks<SourceRequests> = {
  sources: noArguments,
  findSources: noArguments,
  openSource: idOnly,
  openAllSources: noArguments,
  closeSource: idOnly,
  addSource: noArguments,
  importSource: idOnly,
  showSource: idOnly,
  openProgram: idOnly,
};
