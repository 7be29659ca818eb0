/** The points of a camera: those its section names, else one for each thing a camera can see. */
import { type CameraDevice, type CameraPoint, SKEW } from './schema.ts';
import { KIND_NAMES } from './topics.ts';

/** what says nothing about the estate is not made a point by itself */
const ASKED_FOR = ['cpu', 'relay'];

export function pointsOf({ points }: CameraDevice): Readonly<Record<string, CameraPoint>> {
  if (points !== undefined && Object.keys(points).length > 0) return points;
  const usual = [...KIND_NAMES.filter((kind) => !ASKED_FOR.includes(kind)), SKEW] as const;
  return Object.fromEntries(usual.map((event) => [event, { event, deadband: 0, as: 'bool' } satisfies CameraPoint]));
}
