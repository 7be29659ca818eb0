/** Readings that are told: what is personal lies in rows of its own, on the disk at once. */
import type { Journal } from '../base/journal.ts';
import type { PointModel, SiteModel } from '../base/model.ts';
import type { Reading } from '../base/reading.ts';
import { allPoints } from './made.ts';

export class Reporter {
  private readonly journal: Pick<Journal, 'report' | 'reportPersonal'>;
  /** `device.point` of every point that is not of class none */
  private personal: ReadonlySet<string> = new Set();

  constructor(journal: Reporter['journal']) {
    this.journal = journal;
  }

  take(model: SiteModel, made: ReadonlyMap<string, readonly PointModel[]>): void {
    const personal = [...allPoints(model, made)].filter(([, point]) => point.class !== 'none');
    this.personal = new Set(personal.map(([id]) => id));
  }

  report(readings: readonly Reading[]): void {
    const isPersonal = (r: Reading): boolean => this.personal.has(`${r.device}.${r.point}`);
    const personal = readings.filter(isPersonal);
    if (personal.length < readings.length) this.journal.report(readings.filter((r) => !isPersonal(r)));
    if (personal.length > 0) this.journal.reportPersonal(personal);
  }
}
