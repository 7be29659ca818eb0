/** The documents of a site, read by their kind; named times of the site itself come first and win over those a pack brings. */
import type { SiteModel } from '../../base/model.ts';
import type { Problem } from '../../base/problem.ts';
import { hints, nearest } from '../../base/suggest.ts';
import { type Complain, complainer, Fields } from '../language/fields.ts';
import { type FormSpec, readForm } from '../language/form.ts';
import { type ControlSpec, type PointSpec, readControl, readPoint } from '../language/point.ts';
import { type RuleSpec, readRule } from '../language/rule.ts';
import { parseSpan, type Span } from './times.ts';

const MAIN = 'weinao.yaml';
const KINDS = ['rule', 'point', 'control', 'form', 'times'] as const;

interface Read<T> {
  readonly spec: T;
  readonly complain: Complain;
}

export interface Documents {
  readonly rules: Read<RuleSpec>[];
  readonly points: Read<PointSpec>[];
  readonly controls: Read<ControlSpec>[];
  readonly forms: Map<string, FormSpec>;
  readonly spans: Map<string, Span>;
}

export function readDocuments(site: SiteModel, problems: Problem[]): Documents {
  const documents: Documents = { rules: [], points: [], controls: [], forms: new Map(), spans: new Map() };
  for (const [name, text] of site.times)
    readTime(name, text, documents.spans, (code) =>
      problems.push({
        code,
        params: { given: text.slice(0, 60) },
        file: MAIN,
        path: ['times', name],
        severity: 'error',
      }),
    );
  const seen = new Map<string, string>();
  for (const document of site.rules) {
    const complain = complainer(document, problems);
    const fields = new Fields(document.body, [], complain);
    const kind = KINDS.find((k) => fields.has(k));
    if (kind === undefined) {
      const given = Object.keys(document.body)[0] ?? '';
      complain(
        'rules.no_kind',
        [],
        { given, choices: KINDS.join(' '), ...hints(nearest(given, KINDS)) },
        { atKey: true },
      );
      continue;
    }
    if (kind === 'times') readTimes(fields, documents.spans);
    else readOne(kind, fields, document, documents, complain, seen);
  }
  return documents;
}

function readOne(
  kind: 'rule' | 'point' | 'control' | 'form',
  fields: Fields,
  document: SiteModel['rules'][number],
  documents: Documents,
  complain: Complain,
  seen: Map<string, string>,
): void {
  const id = String(document.body[kind]);
  // Alarms, outputs and state rows are named by it.
  const key = kind === 'point' || kind === 'form' ? `${kind} ${id}` : id;
  const other = seen.get(key);
  if (other !== undefined) complain('rules.duplicate', [kind], { given: id, other });
  seen.set(key, document.file);
  if (kind === 'form') {
    const spec = readForm(fields, document);
    if (spec !== undefined) documents.forms.set(spec.id, spec);
  } else if (kind === 'rule') {
    const spec = readRule(fields, document);
    if (spec !== undefined) documents.rules.push({ spec, complain });
  } else if (kind === 'control') {
    const spec = readControl(fields, document);
    if (spec !== undefined) documents.controls.push({ spec, complain });
  } else {
    const spec = readPoint(fields, document);
    if (spec !== undefined) documents.points.push({ spec, complain });
  }
}

function readTimes(fields: Fields, spans: Map<string, Span>): void {
  fields.only(['times']);
  const times = fields.object('times', '{night: "22:00 .. 06:00"}');
  for (const [name, text] of times?.entries() ?? [])
    readTime(name, String(text), spans, (code) => times?.wrong(code, [name], { given: String(text).slice(0, 60) }));
}

function readTime(
  name: string,
  text: string,
  spans: Map<string, Span>,
  wrong: (code: 'rules.bad_span_text' | 'rules.other_time') => void,
): void {
  const span = parseSpan(text);
  if (span === undefined) return wrong('rules.bad_span_text');
  const known = spans.get(name);
  // The site's own times win over those a pack brings; two packs must agree.
  if (known !== undefined && known.text !== text) return wrong('rules.other_time');
  spans.set(name, span);
}
