/** Answers of cameras explained, in the shape of the vectors in cases/. Never throws, whatever the bytes. */
import { isWeinaoError } from '../../src/base/errors/index.ts';
import type { DecodeAsk, Decoded } from '../../src/kit/driver.ts';
import { type Answer, type Notification, readAnswer } from './codec.ts';
import { hintOf, meaningOf } from './meaning.ts';
import { PERSONAL, TopicTable } from './topics.ts';

const TABLE = new TopicTable();

export function decodeOnvif(ask: DecodeAsk): Decoded {
  const status = ask.status === undefined ? {} : { status: ask.status };
  try {
    const answer = readAnswer(ask.response ?? ask.request ?? new Uint8Array(0));
    if (answer !== undefined) return explained(answer);
    return { outcome: 'unexpected', type: 'unexpected', ...status, reason: 'XML, but no answer of a camera' };
  } catch (error) {
    if (!isWeinaoError(error)) throw error;
    return { outcome: 'reject', type: 'reject', ...status, code: error.code, reason: error.message };
  }
}

function explained(answer: Answer): Decoded {
  switch (answer.type) {
    case 'fault':
      return { outcome: 'error-reply', type: 'fault', fault: answer.fault };
    case 'other':
      return { outcome: 'ack', type: 'other', answer: answer.body.name, ...cut(answer) };
    case 'notify':
      return { outcome: 'values', type: 'notify', messages: messages(answer.messages), ...cut(answer) };
    case 'pull': {
      const { currentTime, terminationTime } = answer;
      const times = { currentTime, terminationTime };
      return { outcome: 'values', type: 'pull', ...times, messages: messages(answer.messages), ...cut(answer) };
    }
  }
}

const cut = ({ isWhole }: { readonly isWhole: boolean }): object => (isWhole ? {} : { truncated: true });

function messages(list: readonly Notification[]): object[] {
  return list.map((message) => {
    const { elements: _, isEmpty: __, ...told } = message;
    const hint = hintFor(message);
    const names = [
      ...Object.keys(message.data),
      ...(message.elementItems ?? []).map((i) => i.slice(i.indexOf('.') + 1)),
    ];
    const personal = names.filter((name) => PERSONAL.includes(name));
    return {
      ...told,
      ...(personal.length === 0 ? {} : { personal }),
      ...(hint === undefined ? {} : { hint }),
    };
  });
}

function hintFor(message: Notification): object | undefined {
  const { row, findings, classes } = meaningOf(message, TABLE);
  if (classes !== undefined) return { kind: 'object', active: classes.length > 0, classes };
  const [first] = findings;
  if (first === undefined) return row === undefined ? undefined : { kind: hintOf(row.kind) };
  const kind = hintOf(first.kind);
  if (typeof first.value === 'boolean') return { kind, active: first.value };
  return first.kind === 'count' || first.kind === 'people'
    ? { kind, count: first.value }
    : { kind, value: first.value };
}
