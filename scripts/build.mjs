// Builds dist/. A start of `lab` is paid for by every command, so the bundle is made for it:
// - CommonJS: Node's loader of ES modules alone takes a third of a bare start;
// - cli.js knows the answer to --help and --version, and hands all else to main.js;
// - main.js is one file, with what V8 compiled of it (see src/cli/load-main.ts), but without the libraries that only
//   some commands need.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Libraries in files of their own, by file: each is loaded by what first needs it. */
const LIBRARIES = {
  execa: 'execa',
  'kubernetes-client': '@kubernetes/client-node',
  listr2: 'listr2',
  x509: '@peculiar/x509',
};

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  outdir: 'dist',
  // ES modules where a package has both: of these only what is used gets in.
  mainFields: ['module', 'main'],
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

const takeLibrariesFromTheirFiles = {
  name: 'libraries',
  setup({ onResolve }) {
    for (const [file, library] of Object.entries(LIBRARIES))
      onResolve({ filter: new RegExp(`^${library}$`) }, () => ({ path: `./${file}.js`, external: true }));
  },
};

rmSync('dist', { recursive: true, force: true });
await build({ ...OPTIONS, entryPoints: { cli: 'src/cli.ts', ...LIBRARIES } });
await build({
  ...OPTIONS,
  entryPoints: { main: 'src/cli/main.ts' },
  plugins: [takeLibrariesFromTheirFiles],
  alias: {
    assert: './src/cli/assert.ts',
    'string-width': './src/cli/string-width.ts',
    yaml: './node_modules/yaml/browser/index.js',
  },
  // An import() becomes a require().
  supported: { 'dynamic-import': false },
  define: { LAB_VERSION: JSON.stringify(version), 'import.meta.url': 'fileUrl' },
  banner: { js: '(function(module,require,fileUrl){' },
  footer: { js: '})' },
});
// The package is one of ES modules; this folder is not.
writeFileSync('dist/package.json', '{"type":"commonjs"}\n');
writeFileSync('dist/version.txt', `${version}\n`);
writeFileSync('dist/help.txt', execFileSync(process.execPath, ['dist/cli.js', 'help']));
await compileMain();

/** Keeps what V8 compiles of main.js for a dry run, with no program on the PATH: that is what starts most often. */
async function compileMain() {
  const filename = resolve('dist/main.js');
  const script = new Script(readFileSync(filename, 'latin1'), { filename });
  const module = { exports: {} };
  script.runInThisContext()(module, createRequire(filename), pathToFileURL(filename).href);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  process.env.PATH = '';
  const io = { stdout, stderr, env: { HOME: resolve('dist') }, cwd: process.cwd() };
  const exitCode = await module.exports.main(['create', 'clusters', '--dryrun'], io);
  if (exitCode !== 0) throw new Error(`lab create --dryrun: ${stderr.read()}`);
  writeFileSync(`dist/main-${process.version}-${process.arch}.cache`, script.createCachedData());
}
