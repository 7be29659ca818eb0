/** Entry of the child process that reads a configuration once, see `checkConfigApart`. */
import { answerParent } from '../io/child.ts';
import { type ConfigAsk, checkConfig } from './check.ts';

answerParent(async (ask) => {
  const { folder, env, secrets } = ask as ConfigAsk;
  const { problems, site } = await checkConfig(folder, env, secrets);
  return { problems, ...(site === undefined ? {} : { model: site.model }) };
});
