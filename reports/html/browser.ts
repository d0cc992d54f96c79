// What the script of a page uses of a browser. The project has no types of browsers, so that nothing else takes its globals
// for granted; this is the part that the script needs.

/** An element of the page. */
export interface PageElement {
  readonly clientWidth: number;
  readonly dataset: Record<string, string | undefined>;
  textContent: string | null;
  hidden: boolean;
  href: string;
  download: string;
  tabIndex: number;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  click(): void;
  readonly classList: { add(name: string): void; remove(name: string): void };
}

/** What happens to an element. */
export interface PageEvent {
  readonly key?: string;
  preventDefault(): void;
}

/** The document. */
export interface Page {
  readonly documentElement: PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getElementById(id: string): PageElement | null;
}

/** The drawing area of a canvas. */
export interface Canvas2d {
  fillStyle: string;
  font: string;
  textAlign: string;
  textBaseline: string;
  globalAlpha: number;
  save(): void;
  restore(): void;
  beginPath(): void;
  rect(x: number, y: number, width: number, height: number): void;
  clip(): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  measureText(text: string): { width: number };
}

/** A plot that uPlot drew, as far as it is used. */
export interface Drawn {
  readonly width: number;
  readonly ctx: Canvas2d;
  readonly bbox: { left: number; top: number; width: number; height: number };
  readonly root: PageElement;
  readonly over: PageElement;
  readonly cursor: { idx?: number | null };
  readonly data: readonly (readonly (number | null)[])[];
  valToPos(value: number, scale: string, canvasPixels?: boolean): number;
  setCursor(place: { left: number; top: number }): void;
  setSize(size: { width: number; height: number }): void;
}

/** uPlot itself. */
export interface Plotter {
  new (options: object, data: readonly (readonly (number | null)[])[], place: PageElement): Drawn;
  paths: { stepped(options: { align: 1 | -1 }): object };
}

/** The window. */
export interface PageWindow {
  readonly devicePixelRatio: number;
  addEventListener(type: string, listener: () => void): void;
  matchMedia(query: string): { addEventListener(type: string, listener: () => void): void };
  getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };
}
