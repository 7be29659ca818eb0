import { feedContract as contractOf, writeContract } from '../../app/feed-contract.ts';
import { EXIT } from '../../base/exit.ts';
import type { Call } from '../world.ts';

/** `weinao feed contract NAME`: the page on the screen, or everything into a folder. */
export async function feedContract(
  { world, lang, config, json }: Call,
  name: string,
  options: { readonly out?: string },
): Promise<number> {
  const contract = await contractOf(config, world.env, name);
  if (options.out !== undefined) {
    const files = await writeContract(contract, options.out);
    world.err(
      lang === 'zh' ? `已写入 ${options.out}：${files.length} 个文件\n` : `${files.length} files in ${options.out}\n`,
    );
  }
  if (json) world.out(`${JSON.stringify({ schema: 1, feed: name, ...contract })}\n`);
  else if (options.out === undefined) world.out(contract.page[lang]);
  return EXIT.ok;
}
