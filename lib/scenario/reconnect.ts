// How connections that were lost come back, in scenario files and on the command line.

/** `jitter`: exponential backoff with full jitter, or in the window that the server gives. `immediate`: at once, and again. */
export const reconnectPolicies = ['jitter', 'immediate'] as const;
export type ReconnectPolicy = (typeof reconnectPolicies)[number];
