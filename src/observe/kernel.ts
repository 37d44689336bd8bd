import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { KERNEL_FEATURES, type KernelFeature } from '../lab/observed.ts';

const OPTIONS: Readonly<Record<KernelFeature, { readonly option: string; readonly module: string }>> = {
  ip_vs: { option: 'CONFIG_IP_VS', module: 'ip_vs' },
  vxlan: { option: 'CONFIG_VXLAN', module: 'vxlan' },
  ipip: { option: 'CONFIG_NET_IPIP', module: 'ipip' },
};

/**
 * Which of these this machine's kernel has, built in or as a module that is there to be loaded. What nothing tells is
 * left out. No process is started: a kernel shows its configuration, and its modules lie in files.
 */
export function readKernel(root = '/'): Partial<Record<KernelFeature, boolean>> {
  const version = release();
  const config = readConfig(root, version);
  const modules = ['modules.builtin', 'modules.dep'].flatMap(
    (file) => read(`${root}lib/modules/${version}/${file}`)?.toString('utf8') ?? [],
  );
  const has = (feature: KernelFeature): boolean | undefined => {
    const { option, module } = OPTIONS[feature];
    const setting = config && new RegExp(`^${option}=([ym])$`, 'm').exec(config)?.[1];
    if (existsSync(`${root}sys/module/${module}`) || setting === 'y') return true;
    if (modules.some((list) => list.includes(`/${module}.ko`))) return true;
    // A module that the kernel was made with may still lie where this process cannot see it.
    const isKnown = modules.length > 0 || (config !== undefined && setting === undefined);
    return isKnown ? false : undefined;
  };
  const found = KERNEL_FEATURES.map((feature) => [feature, has(feature)] as const);
  return Object.fromEntries(found.filter(([, there]) => there !== undefined));
}

function readConfig(root: string, version: string): string | undefined {
  const packed = read(`${root}proc/config.gz`);
  const plain = packed ? undefined : read(`${root}boot/config-${version}`);
  return (packed ? gunzipSync(packed) : plain)?.toString('utf8');
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
