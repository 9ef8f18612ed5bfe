// What all that asks the server has in common.

/** A signal that aborts after so many milliseconds. `again` starts over; `done` ends it. */
export function patience(millis: number, why = `nothing was heard for ${millis} ms`) {
  const giveUp = new AbortController();
  const start = () => setTimeout(() => giveUp.abort(new Error(why)), millis);
  let timer = start();
  const done = () => clearTimeout(timer);
  return {
    signal: giveUp.signal,
    done,
    abort: () => giveUp.abort(new Error('closed')),
    again() {
      done();
      timer = start();
    },
  };
}

/** A pause that keeps no process alive. */
export function pause(millis: number): Promise<void> {
  return new Promise((done) => {
    const timer: unknown = setTimeout(done, millis);
    (timer as { unref?: () => void }).unref?.();
  });
}

/** The pieces of a body, as they come. */
export async function* pieces(answer: Response): AsyncGenerator<Uint8Array> {
  const reader = answer.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** All of a body, if it is no longer than that. */
export async function gather(answer: Response, most: number): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces(answer)) {
    length += piece.length;
    if (length > most) throw new Error(`an answer of more than ${most} bytes`);
    all.push(piece);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const piece of all) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
