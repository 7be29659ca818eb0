/** What the argument parser says of wrong usage, in Chinese: line by line, known sentences only; a line nobody knows stays as it is. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^error: unknown command '(.*)'$/, '未知的命令 “$1”'],
  [/^error: unknown option '(.*)'$/, '未知的选项 “$1”'],
  [/^error: missing required argument '(.*)'$/, '缺少参数 “$1”'],
  [/^error: option '(.*)' argument missing$/, '选项 “$1” 缺少参数'],
  [/^error: required option '(.*)' not specified$/, '必须写明选项 “$1”'],
  [
    /^error: option '(.*)' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/,
    '选项 “$1” 的值 “$2” 不对，可选：$3',
  ],
  [/^error: too many arguments for '(.*)'\. .* but got \d+: (.*)\.$/, '“$1” 的参数太多：$2'],
  [/^error: too many arguments\..*$/, '参数太多'],
  [/^\(Did you mean one of (.*)\?\)$/, '是否想写其中之一：$1？'],
  [/^\(Did you mean (.*)\?\)$/, '是否想写 $1？'],
];

/** An option's line in the Chinese help: description, choices, default. */
export function optionInChinese({ description, argChoices, defaultValue }: OptionFacts): string {
  const facts = [
    ...(argChoices === undefined ? [] : [`可选 ${argChoices.join(' ')}`]),
    ...(defaultValue === undefined ? [] : [`默认 ${String(defaultValue)}`]),
  ];
  return facts.length === 0 ? description : `${description}（${facts.join('，')}）`;
}

/** What stands for options and verbs in the line that shows how a verb is written. */
export const wayInChinese = (way: string): string => way.replace('[options]', '[选项]').replace('[command]', '[命令]');

interface OptionFacts {
  readonly description: string;
  readonly argChoices?: readonly string[] | undefined;
  readonly defaultValue?: unknown;
}

export function usageInChinese(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [pattern, sentence] = SENTENCES.find(([known]) => known.test(line)) ?? [];
      return pattern === undefined || sentence === undefined ? line : line.replace(pattern, sentence);
    })
    .join('\n');
}
