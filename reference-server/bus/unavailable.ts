// What every call to a bus may reject with.

/** `down`: not reachable now. `deadline`: no answer in time. `late`: it came too late to be done. `refused`: an error came back. */
export type Unavailability = 'down' | 'deadline' | 'late' | 'refused';

/** What instances share could not be reached in time: nothing may be acknowledged. Never carries secrets. */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable';
  readonly why: Unavailability;

  constructor(why: Unavailability, message: string) {
    super(message);
    this.why = why;
  }
}
