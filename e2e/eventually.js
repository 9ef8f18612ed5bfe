// Waiting for what happens elsewhere, no longer than it takes.
import { setTimeout as pause } from 'node:timers/promises';

/** Tries until what is said becomes true. */
export async function eventually(claim, patience = 20_000) {
  const end = Date.now() + patience;
  for (;;) {
    try {
      return await claim();
    } catch (error) {
      if (Date.now() > end) throw error;
      await pause(50);
    }
  }
}
