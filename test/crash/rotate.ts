/**
 * One process, many changes of the gateway's key: in each, from its n-th write, sync, renaming or removal on nothing reaches the disk, for every n there
 * is. A later life on a good disk goes on with what it finds. It prints a line of JSON for each: what a platform got of both lives, in order, and which
 * key signs at the end. Argument: folder. Meant to run under disktrace.c, which reads DISKNTH at each call.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Evidence } from '../../src/app/evidence.ts';
import type { SiteModel } from '../../src/base/model.ts';
import { type Keyring, openGatewayKey } from '../../src/io/keys.ts';
import { createJournal, type JournalFace } from '../../src/journal/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { proofOf } from '../../src/uplink/proof.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SECRET, SEES_ALL } from '../fakes/entitlement.ts';
import { memoryLog } from '../fakes/log.ts';
import { seededRandom } from '../fakes/random.ts';
import { loopbackStore } from '../fakes/store.ts';
import { BUDGET, FREE, STREET } from './promises.ts';

const [folder = ''] = process.argv.slice(2);
const BASE = 'wn/1/street/s/up';

interface Message {
  readonly topic: string;
  readonly payload: string;
}

class Life {
  readonly journal: JournalFace;
  readonly keyring: Keyring;
  readonly evidence: Evidence;
  private readonly clock: VirtualClock;

  private constructor(journal: JournalFace, keyring: Keyring, clock: VirtualClock) {
    this.journal = journal;
    this.keyring = keyring;
    this.clock = clock;
    this.evidence = new Evidence(
      {
        clock,
        log: memoryLog(),
        keyring,
        site: () => ({ site: { timezone: 'Asia/Shanghai' }, hash: 'h' }) as unknown as SiteModel,
        heads: () => Promise.resolve({}),
        keep: async (events, memory) => (await journal.commit({ events, alarms: [], states: [], memory })).durable,
        onKey: () => {},
      },
      [],
    );
  }

  static async begin(data: string, seed: number): Promise<Life> {
    const clock = new VirtualClock(Date.UTC(2026, 10, 25) + seed * 60_000);
    const journal = createJournal({
      clock,
      random: seededRandom(seed),
      log: memoryLog(),
      path: join(data, 'journal.db'),
      windowMs: 1000,
      secret: SECRET,
      budget: BUDGET,
      onStalled: () => {},
      startWorker: () => loopbackStore(createOutward(), () => FREE),
    });
    const keyring = await openGatewayKey(data);
    await journal.start();
    await journal.ledger.open({ ...STREET, ...SEES_ALL });
    return new Life(journal, keyring, clock);
  }

  async happen(n: number): Promise<void> {
    const event = { kind: 'alarm.raised', at: this.clock.now(), level: 'red', data: { aid: `a${n}`, n } } as const;
    await this.journal.commit({ events: [event], alarms: [], states: [], memory: [] });
  }

  /** What the sender would publish now: manifest, members, and a proof of the last. */
  async publish(told: Message[]): Promise<void> {
    const { contract, acked } = await this.journal.ledger.open({ ...STREET, ...SEES_ALL });
    const { kid, publicKey, changes } = this.keyring;
    told.push({ topic: `${BASE}/hello`, payload: JSON.stringify({ kid, key: publicKey, keys: changes }) });
    const { epoch } = contract;
    const all = await this.journal.ledger.next('street', 'a', { epoch, seq: acked.a.seq }, { max: 99, bytes: 1e9 });
    for (const m of all) told.push({ topic: `${BASE}/a`, payload: Buffer.from(m.payload).toString() });
    const last = all.at(-1);
    if (last === undefined) return;
    const proof = proofOf(`street.a.${epoch}`, last.seq, last.hash, this.keyring);
    told.push({ topic: `${BASE}/proof/a`, payload: proof });
    this.journal.ledger.ack('street', 'a', { epoch, seq: last.seq });
  }
}

for (let n = 1, isOver = false; !isOver; n++) {
  const data = join(folder, String(n));
  mkdirSync(data);
  process.env.DISKNTH = '0 EIO';
  const told: Message[] = [];
  const life = await Life.begin(data, n);
  await life.happen(1);
  await life.publish(told);
  await life.journal.flush();
  // The cut: what this life thinks and says from here on is nobody's.
  process.env.DISKNTH = `${n}+ EIO`;
  isOver = await life.evidence.rotate().then(
    () => true,
    () => false,
  );
  process.env.DISKNTH = '0 EIO';
  const later = await Life.begin(data, n);
  const before = later.keyring.kid;
  const begun = later.keyring.begun?.kid;
  await later.evidence.start();
  await later.happen(2);
  await later.publish(told);
  later.evidence.stop();
  await later.journal.close();
  process.stdout.write(`${JSON.stringify({ n, isOver, before, begun, kid: later.keyring.kid, told })}\n`);
  await life.journal.close();
}
process.exit(0);
