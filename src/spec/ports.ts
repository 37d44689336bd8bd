import type { PortMapping } from '../lab/lab.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import { checkedText, type Fault } from './fault.ts';
import { show } from './show.ts';

type Port = Omit<PortMapping, 'at'>;

/** `[LISTEN:]HOST:NODE[/PROTOCOL]`, as docker writes it. */
export const portText = checkedText((text) => {
  const read = readPort(text);
  return 'message' in read ? read : undefined;
});

export function readPort(text: string): Port | Fault {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):)?(\d{1,9}):(\d{1,9})(?:\/([a-zA-Z]+))?$/.exec(text);
  if (!match) {
    return { message: `expected a port such as "8080:80" or "127.0.0.1:5353:53/udp", found ${show(text)}` };
  }
  const [, listen6, listen4, host, node, protocol = 'tcp'] = match;
  const listen = listen6 ?? listen4;
  const address = listen === undefined ? undefined : parseAddress(listen);
  if (listen !== undefined && address?.family !== (listen6 === undefined ? 4 : 6)) {
    return { message: `${show(listen)} is not an address to listen on` };
  }
  if (protocol !== 'tcp' && protocol !== 'udp') {
    return { message: `expected protocol tcp or udp, found ${show(protocol)}` };
  }
  const outside = [host, node].find((port) => Number(port) < 1 || Number(port) > 65535);
  if (outside !== undefined) return { message: `port ${outside} is not between 1 and 65535` };
  return { host: Number(host), node: Number(node), protocol, ...(address && { listen: formatAddress(address) }) };
}
