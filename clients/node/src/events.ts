// Server-sent events, as they are parsed (HTML standard, section 9.2.6), with a bound on what one may hold.

export interface Event {
  name: string;
  data: string;
  /** The id of this event, or of the last one that had one. */
  id: string | undefined;
}

/** An event is complete after so many characters, comments and all. */
export const MOST = 1 << 20;
const MOST_ID = 256;

export class Events {
  #decoder = new TextDecoder('utf-8', { fatal: true });
  #line = '';
  #name = '';
  #data = '';
  #id: string | undefined;
  #afterCr = false;
  /** Characters since the last event. */
  #since = 0;

  /** The events that these bytes complete. Throws at what cannot be a stream of ours. */
  take(bytes: Uint8Array): Event[] {
    const events: Event[] = [];
    let text = this.#decoder.decode(bytes, { stream: true });
    // The LF of a CR that came before.
    if (this.#afterCr && text.startsWith('\n')) text = text.slice(1);
    if (text !== '') this.#afterCr = text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    const open = lines.pop() as string;
    for (const rest of lines) {
      this.#count(rest.length + 1);
      const event = this.#end(this.#line + rest);
      this.#line = '';
      if (!event) continue;
      events.push(event);
      this.#since = 0;
    }
    this.#count(open.length);
    this.#line += open;
    return events;
  }

  #count(more: number): void {
    this.#since += more;
    if (this.#since > MOST) throw new Error('an event of more than 1 MiB');
  }

  #end(line: string): Event | undefined {
    if (line === '') {
      const event = { name: this.#name, data: this.#data.slice(0, -1), id: this.#id };
      const complete = this.#data !== '';
      this.#name = this.#data = '';
      return complete ? event : undefined;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) as unknown as [string, string, string?];
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data += `${value}\n`;
    else if (field === 'id' && !value.includes('\0')) this.#id = value.length <= MOST_ID ? value : undefined;
    return undefined;
  }
}
