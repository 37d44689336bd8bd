/** What Linkerd's proxy counts, as its metrics print it: who asked whom, and how both were known. */

/** Requests that a proxy sent out, or let in, with the same labels. */
export interface ProxyRequests {
  readonly direction: 'inbound' | 'outbound';
  /** The name under which it was asked for. */
  readonly authority?: string;
  /** Both ends of the connection showed certificates. */
  readonly tls: boolean;
  /** Why they did not. */
  readonly noTls?: string;
  /** Who asked, by its certificate: only where requests come in. */
  readonly client?: string;
  /** Who answered, by its certificate: only where requests go out. */
  readonly server?: string;
}

/** Reads the lines of `request_total`. */
export function parseProxyRequests(metrics: string): ProxyRequests[] {
  return [...metrics.matchAll(/^request_total\{(.*)\} \d+$/gm)].flatMap(([, text = '']): ProxyRequests[] => {
    const labels = new Map([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]));
    const direction = labels.get('direction');
    if (direction !== 'inbound' && direction !== 'outbound') return [];
    const [authority, client, server, noTls] = ['authority', 'client_id', 'server_id', 'no_tls_reason'].map((key) =>
      labels.get(key),
    );
    return [
      {
        direction,
        tls: labels.get('tls') === 'true',
        ...(authority && { authority }),
        ...(client && { client }),
        ...(server && { server }),
        ...(noTls && { noTls }),
      },
    ];
  });
}
