/** Signals a process and its descendants, when it leads a group of its own. One that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  // -1 would be every process of the user, and -0 our own group.
  if (pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone, or (macOS) only a zombie is left.
  }
}
