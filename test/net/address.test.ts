import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { bitsOf, formatAddress, parseAddress, unusableKind } from '../../src/net/address.ts';
import { addresses } from './arbitrary-net.ts';

/** The value of an address by its bytes, as ipaddr.js reads it. */
const valueByIpaddr = (text: string): bigint =>
  ipaddr
    .parse(text)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

const valueByIpAddress = (text: string): bigint =>
  (text.includes(':') ? new Address6(text) : new Address4(text)).bigInt();

describe('an address', () => {
  it('is read as it was printed, and as both libraries read it', () => {
    fc.assert(
      fc.property(addresses(), (address) => {
        const text = formatAddress(address);
        expect(parseAddress(text)).toEqual(address);
        expect(valueByIpaddr(text)).toBe(address.value);
        expect(valueByIpAddress(text)).toBe(address.value);
      }),
      { numRuns: 2000 },
    );
  });

  it('is printed in canonical form', () => {
    fc.assert(
      fc.property(addresses(), (address) => {
        const { family, value } = address;
        const other = family === 4 ? Address4.fromBigInt(value) : Address6.fromBigInt(value);
        expect(formatAddress(address)).toBe(other.correctForm());
      }),
      { numRuns: 2000 },
    );
  });

  it('is read from every way of writing it', () => {
    fc.assert(
      fc.property(addresses(fc.constant(6)), (address) => {
        const full = new Address6(formatAddress(address)).canonicalForm();
        for (const text of [full, full.toUpperCase(), ipaddr.parse(full).toNormalizedString()])
          expect(parseAddress(text)).toEqual(address);
      }),
    );
    expect(parseAddress('::ffff:10.0.0.1')).toEqual({ family: 6, value: 0xffff0a000001n });
  });

  it('is nothing else, and no text makes it fail', () => {
    const pieces = fc.constantFrom(
      ...['0', '1', '10', '255', '256', '08', 'f', 'FFFF', '1ffff', ':', '::', '.', '/', '%', 'x', ' ', '-'],
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 5, arbitrary: pieces }, fc.string({ maxLength: 2 })), { maxLength: 16 }),
        (parts) => {
          const text = parts.join('');
          const address = parseAddress(text);
          if (!address) return;
          expect(address.value).toBe(valueByIpaddr(text));
          expect(address.value).toBe(valueByIpAddress(text));
          expect(address.value).toBeLessThan(1n << BigInt(bitsOf(address.family)));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it.each([
    ...['', '10', '10.0.1', '010.0.0.1', '0x0a.0.0.1', '1.2.3.256', '1.2.3.4.5', ' 1.2.3.4', '1.2.3.4 ', '1.2.3.4/8'],
    ...[
      ':',
      '1::2::3',
      'fd00',
      'fe80::1%eth0',
      '12345::',
      '::1.2.3',
      '::ffff:010.0.0.1',
      '[::1]',
      'fd00::g',
      '1.2.3.4:80',
    ],
  ])('is not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('an address that no cluster can use', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['169.254.1.1', 'linkLocal'],
    ['255.255.255.255', 'broadcast'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['ff02::1', 'multicast'],
    ['fe80::1', 'linkLocal'],
    ['::ffff:10.0.0.1', 'ipv4Mapped'],
  ])('is %s: %s', (text, kind) => {
    expect(unusableKind(parseAddress(text) ?? { family: 4, value: 0n })).toBe(kind);
  });

  it.each([
    '10.0.0.1',
    '172.17.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '8.8.8.8',
    '198.18.0.1',
    'fd00::1',
    'fc00::1',
    '2001:db8::1',
  ])('is not %s', (text) => {
    expect(unusableKind(parseAddress(text) ?? { family: 4, value: 0n })).toBeUndefined();
  });

  it('is classified alike by ip-address', () => {
    fc.assert(
      fc.property(addresses(), (address) => {
        const text = formatAddress(address);
        const other = address.family === 4 ? new Address4(text) : new Address6(text);
        const kind = unusableKind(address);
        expect(kind === 'multicast').toBe(other.isMulticast());
        expect(kind === 'loopback').toBe(other.isLoopback());
        if (other instanceof Address6) expect(kind === 'linkLocal').toBe(other.isInSubnet(new Address6('fe80::/10')));
        else expect(kind === 'linkLocal').toBe(other.isInSubnet(new Address4('169.254.0.0/16')));
      }),
      { numRuns: 2000 },
    );
  });
});
