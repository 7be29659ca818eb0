/** Names of records: what a point asks for, and what a record is called. */
import type { Record } from './codec.ts';
import type { MbusPoint } from './schema.ts';

/** fields of the table with the unit a point of it has where nothing else is said */
export const FIELDS: ReadonlyMap<string, string | undefined> = new Map([
  ['energy', 'kW.h'],
  ['volume', 'm3'],
  ['power', 'kW'],
  ['volume_flow', 'm3/h'],
  ['flow_temp', 'Cel'],
  ['return_temp', 'Cel'],
  ['temp_difference', 'K'],
  ['voltage', 'V'],
  ['current', 'A'],
  ['fabrication_no', undefined],
]);

export const fieldOfPoint = ({ field, record, storage, tariff, subunit }: MbusPoint): string =>
  record === undefined ? `${field} ${storage} ${tariff} ${subunit}` : `#${record}`;

/** A record is found by its place, and by what it is, if it is a momentary value. */
export const namesOf = (record: Record, place: number): readonly string[] =>
  record.function === 'inst' || record.function === 'error-state'
    ? [`#${place}`, `${record.name} ${record.storage} ${record.tariff} ${record.device}`]
    : [`#${place}`];
