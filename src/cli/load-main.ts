import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

type Main = typeof import('./main.ts');
type Load = (module: { exports: object }, require: NodeJS.Require, fileUrl: string) => void;

/**
 * Runs the bundle `main.js` beside this one. The build also keeps what V8 compiled of it, which halves a start. That
 * fits one version of Node on one kind of processor: elsewhere it is not found, or V8 refuses it and compiles anew.
 */
export function loadMain(): Main {
  const filename = join(__dirname, 'main.js');
  const cache = join(__dirname, `main-${process.version}-${process.arch}.cache`);
  // The bundle is ASCII: read as such, Node need not look for what is not.
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    ...(existsSync(cache) && { cachedData: readFileSync(cache) }),
  });
  const module = { exports: {} as Main };
  (script.runInThisContext() as Load)(module, require, pathToFileURL(filename).href);
  return module.exports;
}
