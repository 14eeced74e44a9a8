/** One event as an EventSource dispatches it. */
export interface SourceEvent {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

/**
 * What a browser's EventSource does, by hand: GET with the same address again and again, the id of the last event in a header, blocks
 * without data remembered for their id and not dispatched. Closing the connection from outside is `cut`.
 */
export class HandEventSource implements Disposable {
  readonly events: SourceEvent[] = [];
  lastEventId = '';
  opened = 0;
  retryMs = 3_000;
  readonly #url: string;
  #connection = new AbortController();
  #closed = false;

  constructor(url: string, lastEventId = '') {
    this.#url = url;
    this.lastEventId = lastEventId;
  }

  /** Connects and reads until the connection ends, for whatever reason. */
  async connect(): Promise<void> {
    this.#connection = new AbortController();
    try {
      const response = await fetch(this.#url, {
        headers: {
          accept: 'text/event-stream',
          ...(this.lastEventId !== '' && { 'last-event-id': this.lastEventId }),
        },
        signal: this.#connection.signal,
      });
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return this[Symbol.dispose]();
      this.opened += 1;
      await this.#read(response);
    } catch (error) {
      if (!this.#connection.signal.aborted && !this.#closed && !(error instanceof TypeError)) throw error;
    }
  }

  cut(): void {
    this.#connection.abort();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.cut();
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#dispatch(block);
    }
  }

  #dispatch(block: string): void {
    let [type, data] = ['message', ''];
    for (const line of block.split('\n')) {
      const [, field, value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === 'event') type = value;
      if (field === 'data') data += `${data === '' ? '' : '\n'}${value}`;
      if (field === 'id') this.lastEventId = value;
      if (field === 'retry') this.retryMs = Number(value);
    }
    if (data !== '') this.events.push({ type, data, lastEventId: this.lastEventId });
  }
}
