import { readDocument, type SerializeOptions, writeDocument } from './document.ts';
import type { AddReceipt, Entity, EntityType } from '../schema/entities.ts';
import type { TokenResponseEvent } from '../response.ts';
import { storeOf, TokenCache } from '../token-cache.ts';

/** A token cache that can be written to a cache document and read from one. Where documents are kept is up to you. */
export class SerializableTokenCache extends TokenCache {
  /**
   * Whether something was done to the cache since the last `serialize` or `deserialize`. An `add` or `modify` that
   * changed nothing counts, as in MSAL Python: one write too many does no harm.
   */
  hasStateChanged = false;

  /**
   * The cache as a document: with secrets in the clear, so protect it.
   *
   * Without a profile it is as it came in: a document that was only read gives back the same text. In a profile, keys
   * and fields are what that library expects, and nothing is left out.
   */
  serialize(options?: SerializeOptions): string {
    const text = writeDocument(storeOf(this), options);
    this.hasStateChanged = false;
    return text;
  }

  /**
   * Replaces all there is with a document. "", null and undefined are an empty cache. What is not understood is kept
   * as it is.
   *
   * @throws DocumentError (`document_not_json`, `document_not_a_cache`): the cache is as it was
   */
  deserialize(state: string | null | undefined): void {
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
