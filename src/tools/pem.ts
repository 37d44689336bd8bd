const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, and nothing else that may stand between them, such as a key. */
export const certificateBlocks = (text: string): string[] => text.match(CERTIFICATE) ?? [];
