/** Whether a test that has many similar cases, or much of one, tries all of it, as in `npm run judges`, or a sample, as in `npm test`. */
export const EVERYTHING = process.env['TOKENKEEP_EVERYTHING'] === '1';
