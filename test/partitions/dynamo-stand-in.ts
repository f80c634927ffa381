/** A table of DynamoDB in memory: the four calls that the store in docs/scale.md makes, with the conditions that it writes. */
type Value = { S?: string; N?: string; B?: Uint8Array };
type Item = Record<string, Value>;
interface Write {
  TableName: string;
  ConditionExpression?: string;
  ExpressionAttributeValues?: Item;
}

export interface DynamoClient {
  getItem(input: { TableName: string; Key: Item; ConsistentRead: true }): Promise<{ Item?: Item }>;
  putItem(input: Write & { Item: Item }): Promise<unknown>;
  deleteItem(input: Write & { Key: Item }): Promise<unknown>;
  updateItem(input: Write & { Key: Item; UpdateExpression: string }): Promise<unknown>;
}

export function dynamoStandIn(): DynamoClient {
  const items = new Map<string, Item>();
  const idOf = (key: Item): string => key['pk']?.S ?? '';
  const check = (
    key: Item,
    { ConditionExpression: condition, ExpressionAttributeValues: values = {} }: Write,
  ): void => {
    if (condition === undefined || holds(condition, items.get(idOf(key)), values)) return;
    throw Object.assign(new Error('The conditional request failed'), {
      name: 'ConditionalCheckFailedException',
    });
  };
  // Each call takes a turn of the event loop, so that calls of two processes interleave.
  const later = <T>(task: () => T): Promise<T> =>
    new Promise<void>((resolve) => setImmediate(resolve)).then(task);
  return {
    getItem: ({ Key }) =>
      later(() => {
        const found = items.get(idOf(Key));
        return found === undefined ? {} : { Item: structuredClone(found) };
      }),
    putItem: (input) =>
      later(() => {
        check(input.Item, input);
        items.set(idOf(input.Item), structuredClone(input.Item));
      }),
    deleteItem: (input) =>
      later(() => {
        check(input.Key, input);
        items.delete(idOf(input.Key));
      }),
    updateItem: (input) =>
      later(() => {
        check(input.Key, input);
        const item = { ...items.get(idOf(input.Key)), ...input.Key };
        for (const [, name = '', value = ''] of input.UpdateExpression.matchAll(/(\w+) = (:\w+)/g))
          item[name] = input.ExpressionAttributeValues?.[value] ?? {};
        items.set(idOf(input.Key), item);
      }),
  };
}

/**
 * Evaluates comparisons and existence checks joined by AND and OR; AND binds more tightly. A comparison with a missing attribute is false.
 */
function holds(condition: string, item: Item | undefined, values: Item): boolean {
  return condition.split(' OR ').some((all) => all.split(' AND ').every((one) => isTrue(one, item, values)));
}

function isTrue(condition: string, item: Item | undefined, values: Item): boolean {
  const [, exists, attribute = ''] = /^(attribute_(?:not_)?exists)\((\w+)\)$/.exec(condition) ?? [];
  if (exists !== undefined) return (item?.[attribute] !== undefined) === (exists === 'attribute_exists');
  const [, name = '', operator = '', reference = ''] = /^(\w+) (=|<=|>) (:\w+)$/.exec(condition) ?? [];
  const [left, right] = [item?.[name], values[reference]];
  if (operator === '' || right === undefined) throw new TypeError(`ValidationException: ${condition}`);
  if (left === undefined) return false;
  if (operator === '=') return left.S === right.S && left.N === right.N;
  return operator === '>' ? Number(left.N) > Number(right.N) : Number(left.N) <= Number(right.N);
}
