/** Set when the bundle is built, from package.json. */
declare const LAB_VERSION: string | undefined;

export const VERSION: string = typeof LAB_VERSION === 'undefined' ? 'development' : LAB_VERSION;
