/** One difference between what is and what should be; a verb plans a part of them. Room for routes, links, certificates. */
export type Change =
  | { readonly kind: 'network'; readonly action: 'create' | 'remove'; readonly why: string }
  | {
      readonly kind: 'cluster';
      readonly action: 'create' | 'recreate' | 'start' | 'remove';
      readonly cluster: string;
      readonly why: string;
    }
  | { readonly kind: 'kubeconfig'; readonly cluster: string; readonly why: string }
  | { readonly kind: 'record'; readonly cluster: string; readonly why: string }
  | { readonly kind: 'images'; readonly cluster: string; readonly images: readonly string[]; readonly why: string }
  | { readonly kind: 'zone'; readonly cluster: string; readonly why: string }
  | {
      readonly kind: 'loadBalancer';
      readonly cluster: string;
      readonly action: 'install' | 'pool';
      readonly why: string;
    }
  | {
      readonly kind: 'contexts';
      readonly cluster: string;
      readonly action: 'merge' | 'remove';
      readonly contexts: readonly string[];
      readonly why: string;
    };
