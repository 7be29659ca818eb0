/**
 * What a value tells of people (feed.md 10): nothing; something of one of them; something that may harm one. Every point, rule and form has a
 * class, and it goes with the value wherever the value goes.
 */
export type DataClass = 'none' | 'personal' | 'sensitive';
