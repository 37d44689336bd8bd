/** A number and what is counted: `1 route`, `2 routes`; `plural` for what does not just take an s. */
export const formatCount = (count: number, singular: string, plural = `${singular}s`): string =>
  `${count} ${count === 1 ? singular : plural}`;
