/** One difference between what is and what should be; a verb plans a part of them. Routes, links and apps have types of their own. */
export type Change =
  | { readonly kind: 'network'; readonly action: 'create' | 'remove'; readonly why: string }
  | {
      readonly kind: 'cluster';
      readonly action: 'create' | 'recreate' | 'start' | 'remove';
      readonly cluster: string;
      readonly why: string;
      /** A cluster that was once ready is deleted. */
      readonly loses?: true;
    }
  | {
      readonly kind: 'kubeconfig';
      readonly cluster: string;
      readonly why: string;
    }
  | {
      readonly kind: 'record';
      readonly cluster: string;
      readonly why: string;
      /** Only that it was ready, before its images are loaded: one that was ready is never made anew by a create. */
      readonly early?: true;
    }
  | { readonly kind: 'images'; readonly cluster: string; readonly images: readonly string[]; readonly why: string }
  | {
      readonly kind: 'certificate';
      readonly cluster: string;
      /** Servers whose certificate lacks an address of theirs. */
      readonly nodes: readonly string[];
      readonly why: string;
    }
  | { readonly kind: 'zone'; readonly cluster: string; readonly why: string }
  | {
      readonly kind: 'loadBalancer';
      readonly cluster: string;
      /** `wait`: it was installed before, and only has to come up again. */
      readonly action: 'install' | 'pool' | 'wait';
      readonly why: string;
    }
  | {
      readonly kind: 'contexts';
      readonly cluster: string;
      readonly action: 'merge' | 'remove';
      readonly contexts: readonly string[];
      readonly why: string;
    };
