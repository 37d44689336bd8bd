import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { readKernel } from '../../src/observe/kernel.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** A machine that shows these files of its kernel. */
function machine(files: Readonly<Record<string, string | Buffer>>): string {
  const root = mkdtempSync(join(tmpdir(), 'lab-kernel-'));
  made.push(root);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return `${root}/`;
}

const config = (...lines: string[]) => gzipSync(lines.join('\n'));

describe('what the kernel has', () => {
  it('is known from its configuration', () => {
    const root = machine({
      'proc/config.gz': config('CONFIG_VXLAN=y', '# CONFIG_IP_VS is not set', 'CONFIG_NET_IPIP=m', 'CONFIG_IP_VS_RR=y'),
    });
    // A module without a file that this process could see may still be there.
    expect(readKernel(root)).toEqual({ vxlan: true, ip_vs: false });
    expect(readKernel(machine({ [`boot/config-${release()}`]: 'CONFIG_IP_VS=y\n' }))).toEqual({
      ip_vs: true,
      vxlan: false,
      ipip: false,
    });
  });

  it('is known from the files of its modules, and from what is loaded', () => {
    const root = machine({
      [`lib/modules/${release()}/modules.dep`]: 'kernel/net/netfilter/ipvs/ip_vs.ko.zst: kernel/x.ko\n',
      [`lib/modules/${release()}/modules.builtin`]: 'kernel/drivers/net/vxlan/vxlan.ko\n',
    });
    expect(readKernel(root)).toEqual({ ip_vs: true, vxlan: true, ipip: false });
    expect(readKernel(machine({ 'sys/module/ipip/refcnt': '0' }))).toEqual({ ipip: true });
  });

  it('is not known where nothing tells', () => {
    expect(readKernel(machine({}))).toEqual({});
  });
});
