/**
 * Mutated answers through everything that reads them. The documents say "false" and nothing else, so that a reading that says true would be an event
 * nobody told. WEINAO_NIGHT=1 takes a hundred thousand; random bytes are the business of test/contract/fuzz.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isWeinaoError } from '../../src/base/errors/index.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { type Answer, readAnswer } from './codec.ts';
import { pointsOf } from './points.ts';
import { deviceSchema } from './schema.ts';
import { CameraState } from './state.ts';
import { TopicTable } from './topics.ts';

const DOCUMENTS = process.env.WEINAO_NIGHT === '1' ? 100_000 : 8000;

const seeds = readFileSync(join(import.meta.dirname, 'cases/frames.ndjson'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => Buffer.from((JSON.parse(line) as { base64: string }).base64, 'base64').toString('utf8'))
  // What happens without an end is true by being told.
  .filter((xml) => !['LineDetector/Crossed', 'Recognition/', 'ObjectIsLoitering'].some((topic) => xml.includes(topic)))
  // Nothing is on, and nothing is a digit that one bit could switch on.
  .map((xml) =>
    xml
      .replaceAll(/Value=(["']?)(?:true|active|[01])(?=["'/ ])/g, 'Value=$1false')
      .replaceAll('>true<', '>false<')
      .replaceAll('CDATA[true', 'CDATA[false')
      .replaceAll('Human Animal', ''),
  );

/** Pieces of XML that fit nowhere. */
const PIECES = [
  '<',
  '>',
  '/>',
  '</',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?',
  '?>',
  '&',
  '&amp;',
  '&#0;',
  '&#x10FFFF;',
  '&l9;',
  '"',
  "'",
  '=',
  ':',
  'xmlns="',
  'xmlns:tns1=""',
  '<!DOCTYPE a>',
  '\u0000',
  '\ufeff',
  '中',
  '<tt:Data>',
  '</tt:Data>',
  '</wsnt:Message>',
  '<wsnt:NotificationMessage>',
];

type Below = (n: number) => number;

function mutated(below: Below): Uint8Array {
  let text = seeds[below(seeds.length)] ?? '';
  for (let n = below(5); n >= 0; n--) {
    const at = below(text.length + 1);
    const end = Math.min(text.length, at + below(60));
    switch (below(7)) {
      case 0:
        text = text.slice(0, at) + text.slice(end);
        break;
      case 1:
        text = text.slice(0, at) + (PIECES[below(PIECES.length)] ?? '') + text.slice(at);
        break;
      case 2:
        text = text.slice(0, end) + text.slice(at, end).repeat(1 + below(4)) + text.slice(end);
        break;
      case 3:
        text = text.slice(0, at);
        break;
      case 4: {
        const other = seeds[below(seeds.length)] ?? '';
        text = text.slice(0, at) + other.slice(below(other.length + 1));
        break;
      }
      case 5:
        text = text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
        break;
      default:
        text = text.slice(0, at) + text.slice(at, end).replaceAll('"', '').replaceAll('tt:', '') + text.slice(end);
    }
  }
  const bytes = new Uint8Array(Buffer.from(text, 'utf8'));
  if (bytes.length > 0 && below(4) === 0) bytes[below(bytes.length)] = below(256);
  return bytes;
}

const read = (bytes: Uint8Array): Answer | undefined => {
  try {
    return readAnswer(bytes);
  } catch (error) {
    if (!isWeinaoError(error)) throw error;
    return undefined;
  }
};

describe('mutated answers', () => {
  it(`${DOCUMENTS} of them: no crash, and no event that nobody told`, { timeout: 60_000 + DOCUMENTS }, () => {
    const random = seededRandom(11);
    const below: Below = (n) => Math.floor(random.next() * n);
    const points = Object.entries(pointsOf(deviceSchema.parse({ host: 'h' })));
    let heard = 0;
    for (let round = 0; round < DOCUMENTS / 100; round++) {
      const state = new CameraState({
        clock: new VirtualClock(),
        table: new TopicTable(),
        points: points.map(([id, point]) => ({ ...point, id, isEvent: false })),
        items: [],
        tell: () => {},
        onUnknown: () => {},
      });
      for (let n = 0; n < 100; n++) {
        const bytes = mutated(below);
        const answer = read(bytes);
        if (answer?.type !== 'pull' && answer?.type !== 'notify') continue;
        for (const { point, value } of state.take(answer.messages)) {
          heard++;
          if (value === true) throw new Error(`${point} is on out of ${Buffer.from(bytes).toString('utf8')}`);
        }
      }
      state.stop();
    }
    // It is no empty promise: most of what is told still comes through.
    expect(heard).toBeGreaterThan(DOCUMENTS / 50);
  });

  it('every prefix of every document says what came whole, in order, and nothing else', () => {
    for (const seed of seeds) {
      const bytes = new Uint8Array(Buffer.from(seed, 'utf8'));
      const whole = read(bytes);
      const all = whole?.type === 'pull' ? whole.messages : [];
      for (let end = 0; end < bytes.length; end += 3) {
        const part = read(bytes.subarray(0, end));
        if (part?.type !== 'pull') continue;
        expect(part.messages).toEqual(all.slice(0, part.messages.length));
      }
    }
  });
});
