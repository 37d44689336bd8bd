/**
 * Takes the place of the package `string-width` in the bundle: yargs measures its help with it, and that package
 * spends 18 ms of every start on Unicode tables. Our help is plain ASCII.
 */
export default function stringWidth(text: string): number {
  return text.length;
}
