// Work that is done once a session, however many ask for it.

/** Shares one run of a piece of work among all who ask while it runs, or, with `keeps`, for as long as the session lasts. */
export class PerSession<S extends object> {
  readonly #keeps: boolean;
  #current: { session: S; done: Promise<void> } | undefined;

  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** The session that the work was done or begun on. */
  get session(): S | undefined {
    return this.#current?.session;
  }

  /** Counts as done on this session. */
  settle(session: S): void {
    this.#current = { session, done: Promise.resolve() };
  }

  /** `isCurrent` turns false when the work was begun again on another session meanwhile. */
  run(session: S, work: (isCurrent: () => boolean) => Promise<void>): Promise<void> {
    if (this.#current?.session === session) return this.#current.done;
    const current = { session, done: Promise.resolve() };
    const isCurrent = (): boolean => this.#current === current;
    const forget = (): void => {
      if (isCurrent()) this.#current = undefined;
    };
    this.#current = current;
    current.done = work(isCurrent).then(
      () => (this.#keeps ? undefined : forget()),
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    return current.done;
  }
}
