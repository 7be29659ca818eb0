import { errorTable } from './spec.ts';

/** The store. Parameters: `path`, `detail`, `have`, `want`. */
export const journalErrors = errorTable({
  'journal.newer': {
    says: {
      zh: '数据文件 {path} 由更新的版本写成（版本 {have}，本程序认识 {want}）',
      en: 'the data file {path} was written by a newer version (schema {have}, this program knows {want})',
    },
    next: {
      zh: '升级 weinao，或换一个数据目录；文件未被改动',
      en: 'upgrade weinao, or use another data folder; the file was not touched',
    },
    retry: 'never',
  },
  'journal.not_full': {
    says: { zh: '数据库没有接受同步级别 FULL', en: 'the database did not take synchronous FULL' },
    next: { zh: '这是程序错误，请上报', en: 'this is a defect; please report it' },
    retry: 'never',
  },
  'journal.gone': {
    says: { zh: '存储线程已结束：{detail}', en: "the store's thread ended: {detail}" },
    next: {
      zh: '程序会自动重启存储；若反复出现请检查存储卡',
      en: 'it is started again; if this repeats check the card',
    },
    retry: 'later',
  },
  'journal.no_feed': {
    says: { zh: '没有上报通道 {feed}', en: 'there is no feed {feed}' },
    next: { zh: '核对配置中的 feeds', en: 'compare with feeds in the configuration' },
    retry: 'never',
  },
  'journal.still_attached': {
    says: { zh: '上报通道 {feed} 仍在配置中', en: 'feed {feed} still stands in the configuration' },
    next: { zh: '先从配置的 feeds 中删除并 weinao reload', en: 'remove it from feeds and reload first' },
    retry: 'never',
  },
  'journal.none': {
    says: { zh: '没有数据文件 {path}', en: 'there is no journal {path}' },
    next: { zh: '网关运行过之后才有历史', en: 'there is history once the gateway has run' },
    retry: 'never',
  },
  'journal.exists': {
    says: { zh: '{path} 已存在', en: '{path} exists already' },
    next: { zh: '换一个文件名，或先移走它', en: 'choose another name, or move it away first' },
    retry: 'never',
  },
  'journal.no_room': {
    says: { zh: '{path} 所在磁盘空间不足', en: 'the disk of {path} is full' },
    next: {
      zh: '换一块盘或腾出空间后再试；没有留下半个文件',
      en: 'use another disk or make room; no half file was left',
    },
    retry: 'never',
  },
  'journal.not_written': {
    says: { zh: '写不了 {path}：{detail}', en: '{path} cannot be written: {detail}' },
    next: { zh: '核对目录是否存在、是否有权限', en: 'check that the folder is there, and the permission' },
    retry: 'never',
  },
  'journal.not_ours': {
    says: { zh: '{path} 不是完好的备份', en: '{path} is no sound backup' },
    next: { zh: '换一份 weinao backup 生成的文件', en: 'use another file made by weinao backup' },
    retry: 'never',
  },
});
