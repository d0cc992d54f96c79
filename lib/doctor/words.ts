// Numbers of the findings, as people read them.

/** A count with thousands separators: `28,232`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Milliseconds with three significant digits at most: `0.114 ms`. */
export function ms(value: number): string {
  return `${Number(value.toPrecision(3))} ms`;
}

/** Bytes: `5.3 KiB`, `32 MiB`, `24.7 GiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1023.5 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 ? scaled : Number(scaled.toPrecision(3))} ${units[unit]}`;
}

/** A share: `12 %`. */
export function share(value: number): string {
  return `${Number((100 * value).toPrecision(2))} %`;
}
