import { checkedText } from './fault.ts';
import { show } from './show.ts';

const DURATION = /^(\d{1,7})([mhdwy])$/;
const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
const UNITS = { m: MINUTE, h: 60 * MINUTE, d: DAY, w: 7 * DAY, y: 365 * DAY } as const;
/** Far beyond any lab; a slip of the hand is not. */
const LONGEST = 100 * UNITS.y;

/** How long something is valid. */
export const durationText = checkedText((text) => {
  if (!DURATION.test(text)) return { message: `expected a time such as 3650d, 87600h or 10y, found ${show(text)}` };
  const seconds = readDuration(text);
  if (seconds === 0) return { message: 'a certificate that is never valid' };
  return seconds > LONGEST ? { message: `${text} is longer than 100y` } : undefined;
});

/** The seconds of a text that {@link durationText} finds no fault with; a year has 365 days. */
export function readDuration(text: string): number {
  const [, count = '', unit = ''] = DURATION.exec(text) ?? [];
  return Number(count) * UNITS[unit as keyof typeof UNITS];
}
