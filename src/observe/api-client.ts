import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a server is asked again that says: too many requests, ask again in a second. */
const TRIES = 10;

/** Reads of one cluster's API server. */
export interface ApiClient {
  /** The JSON at a path; undefined for 404. @throws when the server does not answer within `seconds` or says no */
  get(path: string, seconds?: number): Promise<unknown>;
  /** The same for what is no JSON, such as a log. */
  getText(path: string, seconds?: number): Promise<string | undefined>;
  /** What the server says to a create that is a dry run: its answer as it is, whether it would or would not. */
  tryCreate(path: string, object: object): Promise<string>;
  /** The names of the certificate of the server that answered first, as TLS shows them: `DNS:x, IP Address:10.0.0.1`. */
  certificateNames(): string | undefined;
  close(): void;
}

/**
 * A client for the current context of a kubeconfig. The Kubernetes client library reads the credentials (it knows
 * tokens and exec plugins too); it is loaded only here, because that alone takes a quarter of a second.
 */
export async function connectApi(kubeconfig: string): Promise<ApiClient> {
  const [{ KubeConfig }, https, { TLSSocket }] = await Promise.all([
    import('@kubernetes/client-node'),
    import('node:https'),
    import('node:tls'),
  ]);
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new TypeError('the kubeconfig has no current context');
  const agent = new https.Agent({ keepAlive: true });
  let names: string | undefined;
  const onResponse = ({ socket }: IncomingMessage) => {
    if (socket instanceof TLSSocket) names ??= socket.getPeerCertificate().subjectaltname;
  };
  const send = async (path: string, seconds: number, body?: string): Promise<Answer> => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const posted = { method: 'POST', headers: { ...options.headers, 'Content-Type': 'application/json' } };
    // A server may be behind a path of a proxy.
    const url = new URL(server.replace(/\/$/, '') + path);
    return exchange(https.request, url, { ...options, ...(body && posted), agent }, { seconds, body, onResponse });
  };
  const getText = async (path: string, seconds = 3) => {
    let { status, text } = await send(path, seconds);
    // For a while it is so with a type that was defined a moment ago: its store is made.
    for (let tries = 0; status === 429 && tries < TRIES; tries++) {
      await sleep(1000);
      ({ status, text } = await send(path, seconds));
    }
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    return text;
  };
  return {
    get: async (path, seconds) => {
      const text = await getText(path, seconds);
      return text === undefined ? undefined : JSON.parse(text);
    },
    getText,
    tryCreate: async (path, object) => (await send(`${path}?dryRun=All`, 3, JSON.stringify(object))).text,
    certificateNames: () => names,
    close: () => agent.destroy(),
  };
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

interface Exchange {
  readonly seconds: number;
  readonly body: string | undefined;
  readonly onResponse: (response: IncomingMessage) => void;
}

function exchange(
  request: typeof import('node:https').request,
  url: URL,
  options: object,
  { seconds, body, onResponse }: Exchange,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      onResponse(response);
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString('utf8') }));
    });
    // A published port may accept while nothing listens behind it yet.
    sent.setTimeout(seconds * 1000, () => sent.destroy(new Error(`${url.host} did not answer within ${seconds} s`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
