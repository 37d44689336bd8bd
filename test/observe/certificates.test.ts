import { describe, expect, it } from 'vitest';
import { readCertificates } from '../../src/observe/certificates.ts';
import { kind } from '../../src/providers/kind.ts';
import { parseContainers } from '../../src/tools/docker.ts';
import { makeCertificate } from '../stubs/api-server.ts';
import { fakeEngine, node } from './fake-engine.ts';

const [SERVER] = parseContainers(JSON.stringify([node({ cluster: 'a' })]));
if (!SERVER) throw new Error('no container');
const SECOND = { ...SERVER, name: 'a-control-plane2' };
const DUAL = { services: ['10.128.0.0/16', 'fd00:96::/112'] };

describe('the addresses in the certificates of API servers', () => {
  it('are those of the handshake when there is one server, without a process', async () => {
    const { runner, commands } = fakeEngine();
    const certificateNames = 'DNS:localhost, IP Address:10.128.0.1, IP Address:FD00:1AB:0:0:0:0:0:2';
    const held = await readCertificates(kind, [SERVER], { certificateNames }, runner);
    expect(held).toEqual({ 'a-control-plane': ['10.128.0.1', 'fd00:1ab::2'] });
    expect(await readCertificates(kind, [SERVER], {}, runner)).toEqual({});
    expect(commands).toEqual([]);
  });

  it('are those of the files when there are several and two families, none where the file is damaged', async () => {
    const cert = makeCertificate(['fd00:1ab::2']).cert.toString();
    const files = {
      'a-control-plane:/etc/kubernetes/pki/apiserver.crt': cert,
      'a-control-plane2:/etc/kubernetes/pki/apiserver.crt': 'half a',
    };
    const { runner } = fakeEngine({ files });
    const answer = { certificateNames: 'IP Address:10.0.0.9', applied: DUAL };
    expect(await readCertificates(kind, [SERVER, SECOND], answer, runner)).toEqual({
      'a-control-plane': ['127.0.0.1', 'fd00:1ab::2'],
      'a-control-plane2': [],
    });
    expect(await readCertificates(kind, [SERVER, SECOND], answer, fakeEngine().runner)).toEqual({});
    const single = { ...answer, applied: { services: ['10.128.0.0/16'] } };
    expect(await readCertificates(kind, [SERVER, SECOND], single, runner)).toEqual({});
  });
});
