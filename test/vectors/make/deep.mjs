/**
 * Nesting that overflows the stack of anything recursive, made when it is needed because it is megabytes of brackets.
 * A document with it is either refused as a DocumentError or survives a round trip; the process lives on.
 */
const nested = (levels) => '['.repeat(levels) + ']'.repeat(levels);

/** @returns {Record<string, string>} where the nesting is → the text of a document */
export const deepDocuments = (levels = 100_000) => ({
  root: nested(levels),
  'unknown root': `{"Account":{},"Extra":${nested(levels)}}`,
  section: `{"Account":${nested(levels)}}`,
  entity: `{"Account":{"a":${nested(levels)}}}`,
  field: `{"Account":{"a":{"home_account_id":"a.a","environment":"e","realm":"r","local_account_id":"l","username":"u","authority_type":"MSSTS","extra":${nested(levels)}}}}`,
  objects: `{"Account":{},"Extra":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`,
});
