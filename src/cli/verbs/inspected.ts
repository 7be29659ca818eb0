/** What `weinao probe CAMERA` shows. */
import { nextOf } from '../../app/doctor.ts';
import type { Lang } from '../../base/text.ts';
import { table } from '../table.ts';

interface Said {
  readonly zh: string;
  readonly en: string;
}

export interface Inspected {
  readonly device: string;
  readonly camera: {
    readonly level: string;
    readonly events: string;
    readonly manufacturer?: string;
    readonly model?: string;
    readonly firmware?: string;
    readonly serial?: string;
    readonly error?: string;
    readonly host?: string;
    readonly clock_skew_s?: number;
    readonly pull_age_s?: number;
    readonly subscriptions?: number;
    readonly services?: readonly string[];
    readonly profiles?: readonly { readonly token: string; readonly name: string; readonly video?: string }[];
    readonly stream?: string;
    readonly snapshot?: string;
    readonly topics?: readonly { readonly topic: string; readonly kind?: string; readonly zh?: string }[];
    readonly findings?: readonly (Said & { readonly hint?: boolean })[];
    readonly menu?: Said;
  };
}

export const isInspected = (reply: unknown): reply is Inspected =>
  typeof reply === 'object' && reply !== null && 'camera' in reply;

/** It does not answer as a camera does. */
export const isSilent = ({ camera }: Inspected): boolean => !camera.level.startsWith('up_');

const LEVELS: Readonly<Record<string, Said>> = {
  up_auth: { zh: '正常，已认证', en: 'up, authenticated' },
  up_noauth: { zh: '在线，认证失败', en: 'up, not authenticated' },
  reachable: { zh: '可达，服务异常', en: 'reachable, its service fails' },
  unreachable: { zh: '不可达', en: 'unreachable' },
};

const EVENTS: Readonly<Record<string, Said>> = {
  up: { zh: '已订阅', en: 'subscribed' },
  starting: { zh: '正在连接', en: 'connecting' },
  lost: { zh: '中断，自动重连', en: 'lost, it is tried again' },
  auth_failed: { zh: '未订阅，认证失败', en: 'none, not authenticated' },
  unsupported: { zh: '不提供', en: 'it has none' },
};

export function inspectedText({ device, camera }: Inspected, lang: Lang): string {
  const zh = lang === 'zh';
  const say = (told: Said): string => told[lang];
  const rows: (readonly [string, string | number | undefined])[] = [
    [zh ? '型号' : 'what', [camera.manufacturer, camera.model].filter((w) => w !== undefined).join(' ')],
    [zh ? '固件' : 'firmware', camera.firmware],
    [zh ? '序列号' : 'serial', camera.serial],
    [
      zh ? '状态' : 'level',
      `${say(LEVELS[camera.level] ?? { zh: camera.level, en: camera.level })}${camera.error === undefined ? '' : ` (${camera.error})`}`,
    ],
    [zh ? '事件' : 'events', say(EVENTS[camera.events] ?? { zh: camera.events, en: camera.events })],
    [zh ? '现地址' : 'now at', camera.host],
    [zh ? '时钟差' : 'clock off by', camera.clock_skew_s === undefined ? undefined : `${camera.clock_skew_s} s`],
    [zh ? '最近拉取' : 'last pull', camera.pull_age_s === undefined ? undefined : `${camera.pull_age_s} s`],
    [zh ? '占用订阅' : 'subscriptions', camera.subscriptions],
    [zh ? '服务' : 'services', camera.services?.join(' ')],
    ...(camera.profiles ?? []).map(
      ({ token, name, video = '' }) => [zh ? '通道配置' : 'profile', `${token}  ${name}  ${video}`] as const,
    ),
    [zh ? '视频流' : 'stream', camera.stream],
    [zh ? '抓图' : 'snapshot', camera.snapshot],
  ];
  const head = rows
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => [key, printable(String(value))]);
  const topics = (camera.topics ?? []).map((t) => [
    printable(t.topic),
    (zh ? t.zh : t.kind) ?? (zh ? '未知' : 'unknown'),
  ]);
  const list =
    camera.topics === undefined ? '' : `\n${table([[zh ? '主题' : 'topic', zh ? '含义' : 'meaning'], ...topics])}`;
  const found = (camera.findings ?? []).map((f) => `${f.hint === true ? '-' : '!'} ${say(f)}\n`).join('');
  const isExplained = camera.error === undefined || found !== '';
  const next = isExplained ? '' : `! ${say(nextOf(camera.error))}\n`;
  const menu = camera.menu === undefined ? '' : `\n${zh ? '摄像机菜单' : 'in its menu'}: ${say(camera.menu)}\n`;
  return `${device}\n${table(head)}${found}${next}${list}${menu}`;
}

/** A device's text must not drive a terminal. */
const printable = (text: string): string =>
  [...text].map((c) => (c < ' ' || (c >= '\u007f' && c < '\u00a0') ? '·' : c)).join('');
