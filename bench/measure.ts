/** Times one operation on one cache, until the time limit is reached or the operation can't be run again. */
import { indexOf, type Operation, type Round } from './operations.ts';
import type { Subject } from './subject.ts';

export interface Measurement {
  operation: Operation;
  text: string;
  accounts: number;
  /** An empty cache. */
  make: () => Subject;
  responses: (index: number) => Round['response'];
  /** Milliseconds of measured time after which no further run starts. There is at least one run. */
  budget: number;
  /** Called before each run, or batch of runs. */
  onRun?: () => void;
}

/** The minimum duration of a batch: long compared with reading the clock. */
const BATCH_MS = 0.5;
const LARGEST_BATCH = 2000;

/** @returns milliseconds per run, one number per run or per batch of runs */
export async function measure(measurement: Measurement): Promise<number[]> {
  const { operation, text, accounts, make, responses, budget } = measurement;
  const loaded = make();
  if (operation.empty !== true) {
    loaded.deserialize(text);
    await loaded.ready?.();
  }
  const limit = operation.rounds(accounts);
  const prepare = (number: number): Round => {
    const index = indexOf(number, accounts);
    return {
      subject: operation.empty === true ? make() : loaded,
      text,
      accounts,
      index,
      response: responses(index),
    };
  };

  const samples: number[] = [];
  let size = 1;
  let spent = 0;
  let number = 0;
  do {
    const rounds = Array.from({ length: size }, (_, offset) => prepare(number + offset));
    number += size;
    let result: unknown;
    measurement.onRun?.();
    const begin = performance.now();
    for (const round of rounds) {
      result = operation.run(round);
      if (result instanceof Promise) result = await result;
    }
    const time = performance.now() - begin;
    spent += time;
    samples.push(time / size);
    await operation.check(result, rounds[size - 1]!);
    if (operation.batches && time < BATCH_MS) size = Math.min(size * 4, LARGEST_BATCH);
  } while (spent < budget && number < limit);
  operation.checkAll?.(
    loaded,
    Array.from({ length: number }, (_, each) => indexOf(each, accounts)),
  );
  return samples;
}
