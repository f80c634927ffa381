/** What tests need of the scripts that make the vectors: the cast, the stage, and the libraries. Types in stage.d.mts. */
export { APPS, CLOUDS, PEOPLE, PROVIDERS } from './cast.mjs';
export { START } from './cases.mjs';
export { deepDocuments } from './deep.mjs';
export { adfs, appOnly, b2c, entra, generic, homeAccountId } from './responses.mjs';
