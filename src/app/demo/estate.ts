/**
 * The simulated estate of `weinao demo`: what each register would say, as pure functions of the seconds since the start. A cycle of 30 s holds
 * a smoke alarm, a falling water tank and a lost hydrant pressure, so that a run of 15 s sees alarms raised and cleared.
 */
const CYCLE = 30;

export interface Estate {
  /** metres in the fire-water tank */
  readonly level: number;
  /** booster pump running */
  readonly pump: boolean;
  /** booster pump current, A */
  readonly current: number;
  /** hydrant pressure, MPa */
  readonly pressure: number;
  /** smoke contact in the e-bike shed */
  readonly smoke: boolean;
  /** pump room, Cel and % */
  readonly temperature: number;
  readonly humidity: number;
}

export function estateAt(seconds: number): Estate {
  const t = seconds % CYCLE;
  const wave = (period: number): number => Math.sin((2 * Math.PI * seconds) / period);
  const draining = t >= 5 && t < 9;
  const level = draining ? 1.2 + 0.02 * wave(3) : 2.4 + 0.15 * wave(17);
  return {
    level,
    pump: draining || t >= 20,
    current: draining || t >= 20 ? 7.4 + 0.3 * wave(5) : 0,
    pressure: t >= 7 && t < 10 ? 0.09 : 0.42 + 0.01 * wave(11),
    smoke: t >= 3 && t < 6,
    temperature: 21.5 + 1.5 * wave(23),
    humidity: 58 + 6 * wave(29),
  };
}
