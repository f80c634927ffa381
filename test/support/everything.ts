/** Whether a test that has hundreds of similar cases tries all of them, as in `npm run judges`, or a sample, as in `npm test`. */
export const EVERYTHING = process.env['TOKENKEEP_EVERYTHING'] === '1';
