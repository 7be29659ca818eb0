/**
 * Bundles the processes of the gateway into dist/ (run by scripts/build).
 *
 * A built-in module that is `import`ed loads everything it has a getter for: node:http alone brings undici and HTTP/2, 13 MB a process that nobody
 * uses. `require` brings what is touched, so inside the bundle every import of a built-in module becomes one.
 */
import { build, type Plugin } from 'esbuild';

const requireBuiltins: Plugin = {
  name: 'require-builtins',
  setup(on) {
    on.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'builtin' },
    );
    on.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
    }));
  },
};

await build({
  entryPoints: {
    main: 'src/main.ts',
    'store-worker': 'src/app/store-worker.ts',
    'config-child': 'src/app/config-child.ts',
  },
  outdir: 'dist',
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
  // Packages that bring native code stay beside the bundle.
  external: ['better-sqlite3', 'serialport', 'onvif'],
  plugins: [requireBuiltins],
  banner: { js: "const require=process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
});
