import { InvalidArgumentError } from '../../errors.ts';
import { readDocument, type SerializeOptions, writeDocument } from './document.ts';
import type { AddReceipt, Entity, EntityType } from '../schema/entities.ts';
import type { TokenResponseEvent } from '../response.ts';
import { storeOf, TokenCache } from '../token-cache.ts';

/**
 * A token cache that can be serialized to a cache document and restored from one. Storing the document is up to the caller.
 *
 * @example
 * import { SerializableTokenCache } from 'tokenkeep';
 *
 * const cache = new SerializableTokenCache();
 * cache.deserialize(text);
 * const copy = cache.serialize({ dialect: 'msal-node' });
 */
export class SerializableTokenCache extends TokenCache {
  /**
   * Whether the cache was changed since the last `serialize` or `deserialize`. As in MSAL Python, an `add` or `modify` that changed
   * nothing also counts.
   */
  hasStateChanged = false;

  /**
   * Serializes the cache to a document. The document contains secrets in plain text, so protect it.
   *
   * Without a dialect, the document keeps the format it was read in; if nothing changed, the text is identical. With a dialect, keys
   * and fields are those that the library expects. No entry is left out.
   *
   * @throws InvalidArgumentError if `dialect` is not the name of a dialect; `hasStateChanged` stays as it is
   */
  serialize(options?: SerializeOptions): string {
    const text = writeDocument(storeOf(this), options);
    this.hasStateChanged = false;
    return text;
  }

  /**
   * Replaces the contents with those of a document. "", null and undefined empty the cache. Unrecognized entries are kept unchanged. Of
   * two fields with one name the last counts, as in MSAL Python and MSAL Node; `vault.importFrom` refuses such a document.
   *
   * @throws InvalidArgumentError if it is not text; DocumentError (`document_not_json`, `document_not_a_cache`); the cache is unchanged
   */
  deserialize(state: string | null | undefined): void {
    if (state !== null && state !== undefined && typeof state !== 'string')
      throw new InvalidArgumentError('`state` is not the text of a document. Nothing was changed.', {
        field: 'state',
      });
    readDocument(storeOf(this), state);
    this.hasStateChanged = false;
  }

  override add(event: TokenResponseEvent): AddReceipt {
    const receipt = super.add(event);
    this.hasStateChanged = true;
    return receipt;
  }

  override modify(type: EntityType, old: Entity, changes: Readonly<Record<string, unknown>> | null): void {
    super.modify(type, old, changes);
    this.hasStateChanged = true;
  }

  protected override changed(): void {
    this.hasStateChanged = true;
  }
}
