/**
 * What the tests with the real Linkerd share. LAB_TEST_LINKERD_IMAGES names the images of the control plane and the proxy
 * (separated by commas) that the engine holds for the CLI on the PATH; LAB_TEST_GATEWAY_API is a manifest on this disk,
 * where the internet is away. Workloads are busybox' web server of the image LAB_TEST_WEB_IMAGE.
 */
import { execFileSync } from 'node:child_process';

const { LAB_TEST_LINKERD_IMAGES = '', LAB_TEST_GATEWAY_API } = process.env;

export const { LAB_TEST_WEB_IMAGE: WEB_IMAGE = 'busybox:stable' } = process.env;
export const LINKERD_IMAGES = LAB_TEST_LINKERD_IMAGES.split(',');
export const MESH = `{${LAB_TEST_GATEWAY_API ? `gatewayAPI: {manifest: "${LAB_TEST_GATEWAY_API}"}` : ''}}`;

/** Why such a test cannot run here. */
export const linkerdMissing = (() => {
  if (!LAB_TEST_LINKERD_IMAGES) return 'LAB_TEST_LINKERD_IMAGES names no images';
  try {
    execFileSync('linkerd', ['version', '--client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no linkerd on the PATH';
  }
})();
