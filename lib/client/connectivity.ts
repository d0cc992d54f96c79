// Online or offline, as the browser believes.
import type { Connectivity } from './transport.ts';

/** As much of a window, or of a worker's global, as is used here. */
interface PlatformScope {
  navigator?: { onLine?: boolean };
  addEventListener?: (type: string, listener: () => void) => void;
  removeEventListener?: (type: string, listener: () => void) => void;
}

/** The platform's, or undefined where it does not know. */
export function platformConnectivity(scope: PlatformScope): Connectivity | undefined {
  const { navigator, addEventListener, removeEventListener } = scope;
  if (typeof navigator?.onLine !== 'boolean' || !addEventListener || !removeEventListener) return undefined;
  return {
    isOnline: () => scope.navigator?.onLine !== false,
    watch(changed) {
      for (const type of ['online', 'offline']) addEventListener.call(scope, type, changed);
      return () => {
        for (const type of ['online', 'offline']) removeEventListener.call(scope, type, changed);
      };
    },
  };
}
