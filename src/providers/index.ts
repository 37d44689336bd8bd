import type { ProviderName } from '../lab/lab.ts';
import { existing } from './existing.ts';
import { k3d } from './k3d.ts';
import { kind } from './kind.ts';
import type { Provider } from './provider.ts';

/** Every provider that a spec can name. */
export const PROVIDERS: Readonly<Record<ProviderName, Provider>> = { kind, k3d, existing };
